# After the shards have ended, however they ended: completes for a GO alone.
job "gonogo-merge" {
  type = "batch"

  group "merge" {
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

      env {
        KEYS  = "/secrets/keys"
        RUNS  = "/runs"
        TRUST = "/secrets/trust"
      }

      config {
        image   = "registry.example/gonogo:0.4.0"
        command = "sh"
        args = ["-c", <<-EOT
          exec gonogo merge "$RUNS"/shard-* -o "$RUNS/run" --key "$KEYS/gonogo" \
            --allowed-signers "$TRUST/allowed_signers" --within 2h
        EOT
        ]
      }
    }
  }
}
