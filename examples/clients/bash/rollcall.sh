#!/usr/bin/env bash
# A Rollcall client with bash and curl: register, beat, look up, watch, leave.
#
#     ./rollcall.sh http://127.0.0.1:7400 orders 8080 orders.list
#
# registers port 8080 of this machine as an instance of `orders`, follows the service, and prints which instances are up
# whenever that changes; SIGTERM leaves. Without a registry the list comes from the file, where other scripts read it too.
set -uo pipefail
set -m # each loop is a process group, so that whatever it waits for ends with it
registry=$1/api/v1 service=$2 port=$3 snapshot=$4
own="\"service\":\"$service\",\"id\":\"127.0.0.1:$port\",\"incarnation\":$(date +%s%3N)"

# Sends instances to an operation and prints the answer. Fails where there is none, and where it is a refusal.
call() {
  curl -sS --max-time 5 --fail-with-body -H 'Content-Type: application/json' -d "{\"instances\":[{$2}]}" "$registry/$1"
}

# Both loops end with the script, also when that is killed: what it stands for has ended then.
alive() { kill -0 $$ 2>/dev/null; }

# Not all clients at the same time.
pause() { sleep "$((1 + RANDOM % 2)).$RANDOM"; }

beat() {
  local answer
  while alive; do
    if ! answer=$(call heartbeat "$own"); then
      echo "rollcall: no heartbeat: $answer" >&2
      pause
    elif [[ $answer == *'"unknown":[{'* ]]; then # the first time, and after a registry lost its memory
      call register "$own,\"host\":\"127.0.0.1\",\"port\":$port" >/dev/null || pause
    elif [[ $answer == *'"deregistered":[{'* || $answer == *'"superseded":[{'* ]]; then
      echo "rollcall: taken out, or another process has the id: $answer" >&2
      return 1
    else
      sleep 5
    fi
  done
}

# Metadata is all in a view that is not plain: without it, patterns will do.
plain() { sed -E 's/"metadata":\{("([^"\\]|\\.)*"[:,]?)*\}//g'; }

# The addresses in a plain view that are in a state, one a line.
in_state() { grep -oE "\"host\":\"[^\"]+\",\"port\":[0-9]+[^{}]*\"state\":\"$1\"" | sed -E 's/"host":"([^"]+)","port":([0-9]+).*/\1:\2/' | sort; }

watch() {
  local empty=0000000000000000 sign=0000000000000000 view list # the sign of a list without instances
  while alive; do
    if ! view=$(curl -sS --max-time 40 --fail-with-body -H "If-None-Match: W/\"$sign\"" \
      "$registry/services/$service?wait=30s" | plain); then
      pause
      continue
    fi
    [[ -n $view ]] || continue # not modified
    list=$(in_state up <<<"$view")
    [[ -n $list ]] || list=$(in_state suspect <<<"$view")
    sign=$(sed -E 's/.*"sign":"([0-9a-f]+)".*/\1/' <<<"$view")
    if [[ $view == *'"stale":true'* ]]; then # the registry began with nothing: instances that are missing may live
      list=$(sort -u - "$snapshot" <<<"$list")
      sign=$empty
      sleep 1
    fi
    echo "$list" >"$snapshot.new"
    mv "$snapshot.new" "$snapshot" # whole or not at all
    echo "registry:" $list
  done
}

leave() {
  kill -- "-$beating" "-$watching"
  call deregister "$own" >/dev/null
  exit
}

touch "$snapshot"
echo "snapshot:" $(<"$snapshot")
beat &
beating=$!
watch &
watching=$!
trap leave TERM INT
wait
