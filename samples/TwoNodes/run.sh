#!/usr/bin/env bash
# Two nodes of one cluster around a Redis, behind nginx, without docker. Everything listens on loopback, and Ctrl-C ends all of it.
# Redis is redis-server where it is installed, else Garnet, a .NET tool that NuGet brings. Without nginx the two nodes run alone.
# Variables: PORT, NODE_A_PORT, NODE_B_PORT, REDIS_PORT; SERVER, a server that is built already; NGINX and REDIS_SERVER, the programs, or
# nothing to do without.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${PORT:-8080} node_a_port=${NODE_A_PORT:-5081} node_b_port=${NODE_B_PORT:-5082} redis_port=${REDIS_PORT:-6390}
work=$(mktemp -d)
started=()

# Ends what was started, one by one and the last first: a node that stops still writes to Redis. Each has ten seconds.
finish() {
  trap - EXIT
  trap '' INT TERM # a second Ctrl-C must not leave some of them behind
  exec 2> /dev/null # the shell would report each program that it ends
  for ((i = ${#started[@]} - 1; i >= 0; i--)); do
    kill "${started[i]}" 2> /dev/null || true
    for ((tenths = 0; tenths < 100; tenths++)); do
      kill -0 "${started[i]}" 2> /dev/null || break
      sleep 0.1
    done
    kill -9 "${started[i]}" 2> /dev/null || true
  done
  wait
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Each program gets a process group of its own, so that Ctrl-C reaches this script alone and it can end them in order.
set -m

# start NAME COMMAND...: in the background, with its output in a file of that name.
start() {
  local name=$1
  shift
  "$@" > "$work/$name.log" 2>&1 < /dev/null &
  started+=($!)
}

# ensure_free PORT...: another program that answers there would be taken for one of these.
ensure_free() {
  for each in "$@"; do
    if (exec 3<> "/dev/tcp/127.0.0.1/$each") 2> /dev/null; then
      echo "Port $each is taken. The first lines of this script say how to choose another." >&2
      exit 1
    fi
  done
}

# says PORT REQUEST PATTERN: whether whoever listens there answers with such a line.
says() {
  (exec 3<> "/dev/tcp/127.0.0.1/$1" && printf "$2" >&3 && timeout 2 head -n 1 <&3 | grep -q "$3") 2> /dev/null
}

# until_ready NAME PORT REQUEST PATTERN: waits for at most a minute; shows what a program printed that ended meanwhile.
until_ready() {
  local name=$1 pid=${started[-1]} deadline=$((SECONDS + 60))
  until says "$2" "$3" "$4"; do
    if ! kill -0 "$pid" 2> /dev/null || ((SECONDS > deadline)); then
      echo "$name is not ready:" >&2
      tail -n 20 "$work/$name.log" >&2
      exit 1
    fi
    sleep 0.2
  done
}

ensure_free "$redis_port" "$node_a_port" "$node_b_port" "$port"

# 1. The server.
server=${SERVER:-src/OrleansSessions.Server/bin/Debug/net10.0/OrleansSessions.Server.dll}
[ -n "${SERVER:-}" ] || dotnet build src/OrleansSessions.Server --nologo -v q

# 2. Redis: who is in the cluster, where each session is, and what was asked and answered.
redis=${REDIS_SERVER-$(command -v redis-server || true)}
if [ -n "$redis" ]; then
  start redis "$redis" --port "$redis_port" --bind 127.0.0.1 --save "" --appendonly no
else
  dotnet tool restore > /dev/null
  start redis dotnet tool run garnet-server -- --lua --port "$redis_port" --bind 127.0.0.1 --memory 128m --index 16m
fi
until_ready redis "$redis_port" 'PING\r\n' PONG
echo "  redis   127.0.0.1:$redis_port, process ${started[-1]}"

# 3. Two equal nodes. Ports for Orleans are free ones (0), and the address keeps them on loopback.
node() {
  start "$1" dotnet "$server" --config redis-all --urls "http://127.0.0.1:$2" "--Cluster:Redis=127.0.0.1:$redis_port" --Auth:AllowAnonymous=true \
    --Cluster:SiloPort=0 --Cluster:OrleansGatewayPort=0 --Cluster:AdvertisedAddress=127.0.0.1
  until_ready "$1" "$2" 'GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n' ' 200 '
  echo "  $1  http://localhost:$2, process ${started[-1]}"
}
node node-a "$node_a_port"
node node-b "$node_b_port"

# 4. nginx in front of both.
nginx=${NGINX-$(PATH="$PATH:/usr/sbin" command -v nginx || true)}
if [ -n "$nginx" ]; then
  sed -e "s/\${LISTEN}/127.0.0.1:$port/" -e "s/\${NODE_A}/127.0.0.1:$node_a_port/" -e "s/\${NODE_B}/127.0.0.1:$node_b_port/" \
    deploy/nginx.conf.template > "$work/sessions.conf"
  cat > "$work/nginx.conf" << CONF
daemon off;
pid $work/nginx.pid;
error_log stderr warn;
events {}
http {
    access_log off;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    include $work/sessions.conf;
}
CONF
  start nginx "$nginx" -e stderr -c "$work/nginx.conf"
  until_ready nginx "$port" 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n' ' 200 '
  echo "  both    http://localhost:$port, through nginx"
else
  echo "  nginx is not installed: use the two addresses above."
fi

echo "Ready. Open one session in two tabs, on two nodes: add ?s=demo to the addresses. Ctrl-C ends everything."
wait
