#!/bin/bash
# Runs the conformance tests of network-policy-api against the current cluster; the report into the folder.
set -euo pipefail
reports=$(mkdir -p "$1" && cd "$1" && pwd)
version=$(jq --raw-output .version package.json)
page=$(jq --raw-output .homepage package.json)
# The release with v1alpha2 of ClusterNetworkPolicy, which nftpol reads.
release=v0.2.0

sources=$(mktemp -d)
trap 'rm -rf "$sources"' EXIT
git clone --quiet --depth 1 --branch "$release" https://github.com/kubernetes-sigs/network-policy-api.git "$sources"
kubectl apply --filename "$sources/config/crd/standard/policy.networking.k8s.io_clusternetworkpolicies.yaml"
kubectl wait --for=condition=Established --timeout=60s crd/clusternetworkpolicies.policy.networking.k8s.io
cd "$sources"
go test -v ./conformance -run TestConformanceProfiles -timeout 30m -args \
  --conformance-profiles=ClusterNetworkPolicy --organization=nftpol --project=nftpol --url="$page" --version="$version" \
  --contact="$page" --additional-info="$page" --report-output="$reports/network-policy-api.yaml"
