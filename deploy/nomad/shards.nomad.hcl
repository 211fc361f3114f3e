# One allocation for each shard. `count` and the number behind `--shard auto/` are the same; the number of this one is
# NOMAD_ALLOC_INDEX, which Nomad counts from 0 and gonogo takes as such.
job "gonogo-shards" {
  type = "batch"

  group "shard" {
    count = 3

    # What was judged is not judged again: of two runs of one shard neither counts.
    restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }

    volume "runs" {
      type            = "csi"
      source          = "gonogo-runs"
      access_mode     = "multi-node-multi-writer"
      attachment_mode = "file-system"
    }

    task "gonogo" {
      driver = "docker"

      volume_mount {
        volume      = "runs"
        destination = "/runs"
      }

      # A template or a Vault policy puts keys and estate there.
      env {
        ESTATE = "/secrets/estate"
        KEYS   = "/secrets/keys"
        RUNS   = "/runs"
      }

      config {
        image   = "registry.example/gonogo:0.4.0"
        command = "sh"
        args = ["-c", <<-EOT
          set -eu
          cd "$ESTATE"
          code=0
          gonogo run -i inventory.yaml features --key "$KEYS/gonogo" --quiet \
            -o "$RUNS/shard-$NOMAD_ALLOC_INDEX" --shard auto/3 || code=$?
          # HOLD (5) is all that a shard can reach. It is not a GO: the merge alone can say that.
          [ "$code" -eq 5 ] || exit "$code"
        EOT
        ]
      }
    }
  }
}
