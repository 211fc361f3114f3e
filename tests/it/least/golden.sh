#!/bin/sh
# gonogo: the commands that an account may run for team operations, and nothing else
# environment staging, inventory inventory.yaml, plan DIGEST
# for a part of the plan only: --host ny4-1
# for ny4-1
# Install as root: sh -n FILE && install -D -o root -g root -m 0755 FILE
#   /usr/local/libexec/gonogo-operations; it is named by the rules of `gonogo plan
#   --authorized-keys` and `--sshd-match`.
# It runs in place of what the client asks for. From the request it takes the nonce of the frame,
#   the size of a file and a path that a planned pattern leads to; everything else has to be as it
#   stands here.
# Not restricted: what a program does once it runs, which readable files SFTP reads, and other keys
#   and passwords of the account.

set -u
LC_ALL=C
export LC_ALL
refuse() {
  echo 'gonogo: this was not planned' >&2
  exit 126
}
c=${SSH_ORIGINAL_COMMAND-}
[ ${#c} -le 32768 ] || refuse

# Files by SFTP: for reading alone, by these requests alone.
case $c in
  internal-sftp | internal-sftp\ * | */sftp-server | */sftp-server\ *)
    for d in /usr/lib/openssh /usr/libexec/openssh /usr/lib/ssh /usr/libexec; do
      [ -x "$d/sftp-server" ] && exec "$d/sftp-server" -R -p open,close,read,lstat,stat,fstat,opendir,readdir
    done
    refuse
    ;;
esac

# The script that `sh -c` was to run: a quote, a backslash and a `!` come outside of the quotes.
case $c in "sh -c '"*\') ;; *) refuse ;; esac
r=${c#"sh -c '"} r=${r%\'} s= q="'\\"
while :; do
  case $r in *"$q"?\'*) ;; *) break ;; esac
  s=$s${r%%"$q"*} r=${r#*"$q"}
  s=$s${r%"${r#?}"} r=${r#??}
done
s=$s$r

# The frame, whatever its nonce.
n=${s#"exec 3<&0; printf '\\036GNG-"} n=${n%"${n#????????????????????????????????}"}
case $n in *[!0-9a-f]*) refuse ;; esac
[ ${#n} -eq 32 ] || refuse
head=FRAME
tail=FRAME
m=${s#"$head"} m=${m%"$tail"}
[ "$s" = "$head$m$tail" ] || refuse

# Is $1 a size, what mktemp chose, or a path of the pattern $2? Component by component, nothing hidden, no `..`.
like() {
  if [ "$2" = SIZE ]; then
    case $1 in '' | 0* | *[!0-9]*) return 1 ;; esac
    return 0
  fi
  case $2 in CHOSEN*)
    y=${2#CHOSEN} x=${1%"${2#CHOSEN}"}
    [ "$1" = "$x$y" ] || return 1
    case $x in *[!0-9A-Za-z]*) return 1 ;; ??????????) return 0 ;; esac
    return 1 ;;
  esac
  p=$1/ g=$2/
  while [ -n "$p" ] && [ -n "$g" ]; do
    x=${p%%/*} y=${g%%/*}
    case $x in $y) ;; *) return 1 ;; esac
    case $x in . | ..) return 1 ;; esac
    case $y in .* | '') ;; *) case $x in .* | '') return 1 ;; esac ;; esac
    p=${p#*/} g=${g#*/}
  done
  [ -z "$p$g" ]
}

# Is the command these literals, with what varies between them? That ends at the next quote.
fits() {
  r=$m
  while :; do
    case $r in "$1"*) r=${r#"$1"} ;; *) return 1 ;; esac
    shift
    if [ $# -eq 0 ]; then
      [ -z "$r" ]
      return
    fi
    w=${r%%\'*}
    r=${r#"$w"}
    like "$w" "$1" || return 1
    shift
  done
}

# What was planned, and nothing else.
fits "'date' '-u' '+%s'" && exec sh -c "$s"
fits "'hostname'" && exec sh -c "$s"
fits "'id' 'amps'" && exec sh -c "$s"
fits "'ls' '-ld' '--' '/' '/srv' '/srv/amps' '/srv/amps/orders' '/srv/amps/orders/VERSION'" && exec sh -c "$s"
fits "'ls' '-ld' '--' '/' '/srv' '/srv/amps' '/srv/amps/orders' '/srv/amps/orders/config' '" "/srv/amps/orders/config/*.xml" "'" && exec sh -c "$s"
fits "'ls' '-ld' '--' '/' '/srv' '/srv/amps' '/srv/amps/orders' '/srv/amps/orders/logs' '" "/srv/amps/orders/logs/*.log*" "'" && exec sh -c "$s"
fits "'ls' '-ld' '--' '/' '/srv' '/srv/amps' '/srv/amps/orders' '/srv/amps/orders/stats.db'" && exec sh -c "$s"
fits "'ls' '-ld' '--' '/' '/srv' '/srv/amps' '/srv/amps/orders' '/srv/amps/orders/stats.db-journal'" && exec sh -c "$s"
fits "'ls' '-ld' '--' '/' '/srv' '/srv/amps' '/srv/amps/orders' '/srv/amps/orders/stats.db-wal'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'find' '/srv/amps/orders/config/' '-mindepth' '1' '-maxdepth' '1' '-print0'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'find' '/srv/amps/orders/logs/' '-mindepth' '1' '-maxdepth' '1' '-print0'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'head' '-c' '" SIZE "' '--' '/srv/amps/orders/VERSION'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'head' '-c' '" SIZE "' '--' '/srv/amps/orders/stats.db'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'head' '-c' '" SIZE "' '--' '/srv/amps/orders/stats.db-journal'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'head' '-c' '" SIZE "' '--' '/srv/amps/orders/stats.db-wal'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'head' '-c' '" SIZE "' '--' '" "/srv/amps/orders/config/*.xml" "'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'head' '-c' '" SIZE "' '--' '" "/srv/amps/orders/logs/*.log*" "'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-L' '-c' '%f/%s/%Y' '--' '/srv/amps/orders/VERSION'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-L' '-c' '%f/%s/%Y' '--' '/srv/amps/orders/stats.db'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-L' '-c' '%f/%s/%Y' '--' '/srv/amps/orders/stats.db-journal'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-L' '-c' '%f/%s/%Y' '--' '/srv/amps/orders/stats.db-wal'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-L' '-c' '%f/%s/%Y' '--' '" "/srv/amps/orders/config/*.xml" "'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-L' '-c' '%f/%s/%Y' '--' '" "/srv/amps/orders/logs/*.log*" "'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-c' '%f/%s/%Y' '--' '/srv/amps/orders/VERSION'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-c' '%f/%s/%Y' '--' '/srv/amps/orders/stats.db'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-c' '%f/%s/%Y' '--' '/srv/amps/orders/stats.db-journal'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-c' '%f/%s/%Y' '--' '/srv/amps/orders/stats.db-wal'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-c' '%f/%s/%Y' '--' '" "/srv/amps/orders/config/*.xml" "'" && exec sh -c "$s"
fits "'sudo' '-n' '-u' 'amps' '--' 'stat' '-c' '%f/%s/%Y' '--' '" "/srv/amps/orders/logs/*.log*" "'" && exec sh -c "$s"
refuse
