#!/bin/bash
# Runs Kubernetes' own tests of NetworkPolicy against the current cluster; JUnit files into the folder.
set -euo pipefail
reports=$(mkdir -p "$1" && cd "$1" && pwd)
kubeconfig=$reports/kubeconfig
kind get kubeconfig > "$kubeconfig"

# "Netpol" are the tests of NetworkPolicy v1 in e2e.test. Those with SCTP need the kernel module sctp on the machine, which a runner
# may not have: nftpol's own packet tests send SCTP.
KUBERNETES_CONFORMANCE_TEST=y ginkgo --procs=10 --focus='Netpol' --skip='SCTPConnectivity' "$(command -v e2e.test)" -- \
  --kubeconfig="$kubeconfig" --provider=local --dump-logs-on-failure=false --disable-log-dump=true --report-dir="$reports"
rm "$kubeconfig"
