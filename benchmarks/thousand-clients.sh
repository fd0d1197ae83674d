#!/usr/bin/env bash
# A thousand SDK clients in four processes against one coordinator, an asynchronous run of 10,000 updates: what is left of them, and what memory it took.
# usage: benchmarks/thousand-clients.sh [PORT]     after ./fed has been built once; prints a line per process and the run's own account
set -euo pipefail
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
port=${1:-7599}
url=http://127.0.0.1:$port
work=$(mktemp -d)
export FED_HOME=$work/home
serve=
trap '[ -z "$serve" ] || kill "$serve" 2>/dev/null; wait; rm -rf "$work"' EXIT
fed=${FED:-$root/fed}

cat > "$work/many.yaml" <<'YAML'
name: many
data: { source: { kind: synthetic-iid, clients: 1000 } }
model: { kind: softmax }
training: { kind: local, epochs: 1, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.05 } }
strategy:
  scheduler: { kind: buffered, concurrency: 200, aggregationGoal: 20 }
  exampleWeight: equal
run: { stop: { clientUpdates: 10000 }, evaluateEvery: 0 }
YAML
$fed serve --data "$work/coordinator" --listen "$url" 2> "$work/serve.log" &
serve=$!
until curl -fs "$url/readyz" > /dev/null; do sleep 0.2; done
$fed runs create "$work/many.yaml" --id many --url "$url" > /dev/null
begun=$SECONDS
echo "load before: $(cut -d' ' -f1 /proc/loadavg)"
clients=()
for i in 0 1 2 3; do
  $fed client --server "$url" --run many --index $((250 * i)) --count 250 --json > "$work/client-$i.json" &
  clients+=($!)
done
for client in "${clients[@]}"; do wait "$client"; done
echo "1,000 clients, $((SECONDS - begun)) s; load after: $(cut -d' ' -f1 /proc/loadavg)"
for i in 0 1 2 3; do tr -d '\n' < "$work/client-$i.json" | tr -s ' '; echo; done
$fed runs show many --url "$url" | sed -n '1,6p'
# fed may be a script around the process that serves.
grep -h VmHWM "/proc/$serve/status" $(pgrep -P "$serve" | sed 's|.*|/proc/&/status|') 2>/dev/null | sort -rnk2 | head -1 | sed 's/VmHWM/coordinator, memory at most/'
