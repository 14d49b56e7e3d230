# The service in a container: docker compose up
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node 24 itself; the pinned runtime of the packages is for machines without it.
RUN npm install --no-save --omit=dev --omit=optional --no-audit --no-fund

# The guard engine: the headers of Node come with the full image's compiler, and nothing of both stays.
FROM node:24-bookworm AS engine
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY native ./native
RUN node native/build.mjs --quiet

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production SALLYPORT_HOME=/state SALLYPORT_MONITOR_PORT=8472
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY src ./src
COPY policies ./policies
COPY models ./models
COPY native/sources.mjs ./native/
COPY --from=engine /app/native/build/guard.node /app/native/build/guard.node.json /app/native/build/guard-launch ./native/build/
RUN mkdir /state && chown node:node /state && ln -s /app/bin/sallyport /usr/local/bin/sallyport
USER node
VOLUME /state
EXPOSE 8470 8471
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:8472/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]
