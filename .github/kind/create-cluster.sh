#!/bin/bash
# Creates a kind cluster of three nodes whose network plugin enforces no policies.
set -euo pipefail
image=$1
family=$2
proxy=$3

kind create cluster --image "$image" --wait 2m --config - <<END
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: $family
  kubeProxyMode: $proxy
nodes:
  - role: control-plane
  - role: worker
  - role: worker
END

# kind's own plugin enforces NetworkPolicies since kind v0.24: two would judge, and a failure of ours would not show. The one from
# before is what the conformance tests of network-policy-api use for the same reason.
kubectl --namespace kube-system set image daemonset/kindnet kindnet-cni=docker.io/kindest/kindnetd:v20230809-80a64d96
kubectl --namespace kube-system rollout status daemonset/kindnet --timeout=180s
kubectl --namespace kube-system rollout status deployment/coredns --timeout=180s
# What the newer one has already written would go on asking a program that is not there any more.
for node in $(kind get nodes); do
  docker exec "$node" nft list tables | grep 'network-policies$' | while read -r table; do
    docker exec "$node" sh -c "nft delete $table"
  done
done
