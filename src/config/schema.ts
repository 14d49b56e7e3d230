import { z } from 'zod';

const port = z.int().min(0).max(65_535);
const host = z.string().min(1).max(253);
const url = z.url({ protocol: /^https?$/ }).refine((text) => new URL(text).pathname === '/', {
  error: 'must be an origin without a path, such as https://gate.example.com',
});

const decoyName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/i);

/** Claim path → what it has to say. */
const claimConditions = z.record(
  z.string().min(1).max(128),
  z.strictObject({
    eq: z.union([z.string(), z.number(), z.boolean()]).optional(),
    in: z
      .array(z.union([z.string(), z.number()]))
      .min(1)
      .max(32)
      .optional(),
    prefix: z.string().min(1).optional(),
  }),
);

const file = z.string().min(1).max(4096).nullable().default(null);

/**
 * Every setting: its type, its default and one sentence. The file `sallyport.yaml`, the environment
 * (`SALLYPORT_` + section + `_` + name in upper snake case) and docs/reference/configuration.md follow from it.
 */
export const configSchema = z.strictObject({
  node: z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,40}$/)
        .default('node-1')
        .describe('Name of this node in the audit log; each node that shares a database needs its own.'),
    })
    .prefault({}),
  control: z
    .strictObject({
      host: host
        .default('127.0.0.1')
        .describe('Address that the control plane (issuer, admin API) listens on.'),
      port: port.default(8470).describe('Port of the control plane; 0 takes a free one.'),
      publicUrl: url
        .nullable()
        .default(null)
        .describe(
          'Origin under which clients reach the control plane: the issuer identifier. Default: http(s)://<host>:<port>.',
        ),
      tlsCertificateFile: file.describe(
        'PEM chain that the control plane shows, its own certificate first, relative to the state folder. With it the control plane speaks TLS alone.',
      ),
      tlsKeyFile: file.describe(
        'Private key of control.tlsCertificateFile (PEM), readable by its owner alone.',
      ),
    })
    .prefault({}),
  gateway: z
    .strictObject({
      host: host.default('127.0.0.1').describe('Address that the gateway listens on.'),
      port: port.default(8471).describe('Port of the gateway; 0 takes a free one.'),
      publicUrl: url
        .nullable()
        .default(null)
        .describe(
          'Origin under which agents reach the gateway: the audience of passports. Default: http(s)://<host>:<port>.',
        ),
      tlsCertificateFile: file.describe(
        'PEM chain that the gateway shows, its own certificate first, relative to the state folder. With it the gateway speaks TLS alone.',
      ),
      tlsKeyFile: file.describe(
        'Private key of gateway.tlsCertificateFile (PEM), readable by its owner alone.',
      ),
      bearer: z
        .enum(['never', 'loopback'])
        .default('never')
        .describe('Whether passports without a key binding are taken, and from where.'),
      upstreamTimeoutMs: z
        .int()
        .min(100)
        .max(3_600_000)
        .default(120_000)
        .describe('How long an upstream may stay silent before the call fails.'),
      requestTimeoutMs: z
        .int()
        .min(100)
        .max(3_600_000)
        .default(60_000)
        .describe('How long a client may take to send a request head, and how long it may pause in a body.'),
      inspectBodyBytes: z
        .int()
        .min(1024)
        .max(1024 * 1024)
        .default(1024 * 1024)
        .describe(
          'Largest body that is read before deciding, where a policy, an approval or a service asks for it.',
        ),
      drainDelayMs: z
        .int()
        .min(0)
        .max(600_000)
        .default(0)
        .describe(
          'At shutdown, how long new calls are still taken while readiness says no, so that load balancers notice first.',
        ),
      drainMs: z
        .int()
        .min(0)
        .max(600_000)
        .default(5_000)
        .describe('At shutdown, how long calls in flight may go on before they are cut.'),
    })
    .prefault({}),
  tls: z
    .strictObject({
      minVersion: z
        .enum(['1.2', '1.3'])
        .default('1.2')
        .describe('Oldest TLS version that the listeners take; 1.3 is used wherever the client knows it.'),
      clientCertificates: z
        .boolean()
        .default(false)
        .describe(
          'Whether listeners that speak TLS ask clients for a certificate (mutual TLS, RFC 8705). Browsers then ask their users.',
        ),
      caFile: file.describe(
        'Certificates (PEM) that the sallyport command and its relay trust beside the usual ones when they reach control plane and gateway; relative to the state folder.',
      ),
    })
    .prefault({}),
  monitor: z
    .strictObject({
      host: host
        .default('127.0.0.1')
        .describe('Address that the monitor listens on. Whoever reaches it may read it.'),
      port: port
        .min(1)
        .nullable()
        .default(null)
        .describe('Port of /healthz, /readyz and /metrics in plain HTTP; nothing: no such listener.'),
      metrics: z.boolean().default(true).describe('Whether the monitor serves /metrics (Prometheus).'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .describe('Least important lines that the service writes to standard error.'),
      format: z
        .enum(['auto', 'json', 'text'])
        .default('auto')
        .describe('One JSON object a line, or text for people; auto: text on a terminal.'),
      calls: z.boolean().default(false).describe('Whether each call gets a line when it ends.'),
    })
    .prefault({}),
  issuer: z
    .strictObject({
      passportLifetimeSeconds: z.int().min(30).max(3600).default(300).describe('Lifetime of a passport.'),
      grantLifetimeSeconds: z
        .int()
        .min(3600)
        .max(90 * 24 * 3600)
        .default(30 * 24 * 3600)
        .describe(
          'How long a person may let an agent act in their name, at most; refresh tokens end with it, however often they are used.',
        ),
      resources: z
        .array(z.url({ protocol: /^https?$/ }).max(512))
        .max(32)
        .default([])
        .describe('Other resource servers that passports may be asked for (RFC 8707), beside the gateway.'),
      workloads: z
        .array(
          z.strictObject({
            name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
            issuer: z.string().min(1).max(512),
            jwksUri: z.url({ protocol: /^https?$/ }).max(1024),
            audience: z.string().min(1).max(512).nullable().default(null),
            agent: z.string().min(1).max(63),
            claims: claimConditions.refine((claims) => Object.keys(claims).length > 0, {
              error: 'names no claim, and would trust everybody who has a token of this issuer',
            }),
            singleUse: z.boolean().default(true),
          }),
        )
        .max(64)
        .default([])
        .describe('Platforms whose tokens stand for agents (RFC 7523); see docs/reference/passport.md.'),
      clientDocuments: z
        .array(
          z.strictObject({
            prefix: z
              .url({ protocol: /^https$/ })
              .max(512)
              .endsWith('/'),
            owner: z.string().min(1).max(200),
            scopes: z.array(z.string().min(1).max(128)).max(64),
            allowPrivate: z.boolean().default(false),
          }),
        )
        .max(64)
        .default([])
        .describe(
          'Addresses under which clients come aboard by a document about them, and what they may do; see docs/reference/passport.md.',
        ),
      notifications: z
        .array(
          z
            .strictObject({
              agent: z.string().min(1).max(128),
              url: z.url({ protocol: /^https?$/ }).max(2048),
              allowPrivate: z.boolean().default(false),
            })
            .refine(({ url, allowPrivate }) => allowPrivate || url.startsWith('https:'), {
              error: 'is https, unless it is an address of your own network (allowPrivate)',
            }),
        )
        .max(256)
        .default([])
        .describe(
          'Where agents, by their names, hear that a person has decided what they asked for (OpenID CIBA, ping); all others poll.',
        ),
      maxDelegationDepth: z
        .int()
        .min(0)
        .max(7)
        .default(4)
        .describe('How often what a passport grants may be passed on from agent to agent; 0: never.'),
      dpopNonce: z
        .boolean()
        .default(false)
        .describe('Ask for a server nonce in DPoP proofs, so that proofs cannot be made in advance.'),
    })
    .prefault({}),
  people: z
    .strictObject({
      providers: z
        .array(
          z
            .strictObject({
              name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,30}$/),
              label: z.string().min(1).max(60),
              issuer: z.url({ protocol: /^https?$/ }).max(512),
              clientId: z.string().min(1).max(512),
              clientSecretFile: file,
              clientKeyFile: file,
              clientKeyId: z.string().min(1).max(128).nullable().default(null),
              scopes: z.array(z.string().min(1).max(128)).max(16).default(['openid', 'profile', 'email']),
              claims: claimConditions.default({}),
              createUsers: z.boolean().default(false),
              nameClaim: z.string().min(1).max(64).default('email'),
              allowPrivate: z.boolean().default(false),
            })
            .refine(
              ({ clientSecretFile, clientKeyFile }) =>
                (clientSecretFile === null) !== (clientKeyFile === null),
              {
                error: 'has either clientSecretFile or clientKeyFile',
              },
            )
            .refine(({ scopes }) => scopes.includes('openid'), { error: 'needs the scope openid' })
            .refine(({ issuer, allowPrivate }) => allowPrivate || issuer.startsWith('https:'), {
              error: 'is https, unless it is of your own network (allowPrivate)',
            })
            .refine(({ createUsers, claims }) => !createUsers || Object.keys(claims).length > 0, {
              error: 'makes users of whomever it knows: name a claim that tells yours',
            }),
        )
        .max(16)
        .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
          error: 'two providers have one name',
        })
        .refine((all) => new Set(all.map(({ issuer }) => issuer)).size === all.length, {
          error: 'two providers have one issuer',
        })
        .default([])
        .describe('OpenID providers through which people sign in; see docs/guides/people.md.'),
    })
    .prefault({}),
  storage: z
    .strictObject({
      kind: z
        .enum(['sqlite', 'postgres'])
        .default('sqlite')
        .describe('Embedded database, or PostgreSQL for several nodes.'),
      url: z
        .string()
        .nullable()
        .default(null)
        .meta({ secret: true })
        .describe(
          'PostgreSQL connection URL. Better given in the environment than in the file: it holds a password.',
        ),
      durability: z
        .enum(['power', 'process'])
        .default('power')
        .describe(
          'What an acknowledged change survives: a power cut, or a crash of the process alone (faster).',
        ),
    })
    .prefault({}),
  audit: z
    .strictObject({
      durability: z
        .enum(['power', 'process'])
        .default('power')
        .describe(
          'What an acknowledged record survives: a power cut, or a crash of the process alone (faster).',
        ),
      segmentBytes: z
        .int()
        .min(64 * 1024)
        .max(1024 * 1024 * 1024)
        .default(64 * 1024 * 1024)
        .describe('Size at which a new file of the log is begun.'),
    })
    .prefault({}),
  vault: z
    .strictObject({
      seal: z
        .enum(['file', 'passphrase'])
        .default('file')
        .describe(
          'Where the root key comes from: a 0600 file made at first start, or a passphrase (Argon2id).',
        ),
      passphraseFile: z
        .string()
        .nullable()
        .default(null)
        .describe(
          'File that holds the passphrase (a mounted secret); without it the passphrase is asked for on the terminal.',
        ),
    })
    .prefault({}),
  policy: z
    .strictObject({
      directory: z
        .string()
        .min(1)
        .default('policies')
        .describe('Folder of the policies, relative to the state folder.'),
    })
    .prefault({}),
  approvals: z
    .strictObject({
      lifetimeSeconds: z
        .int()
        .min(30)
        .max(86_400)
        .default(600)
        .describe(
          'From the held call on, how long a person may decide it; an approval is then good for 5 minutes.',
        ),
      passportApprovers: z
        .union([z.literal(1), z.literal(2)])
        .default(1)
        .describe(
          'How many different people have to say yes when an agent asks for a passport in a person’s name (OpenID CIBA). For held calls a policy says it (`@approvers`).',
        ),
    })
    .prefault({}),
  detector: z
    .strictObject({
      profile: z
        .enum(['observe', 'balanced', 'strict'])
        .default('balanced')
        .describe('How findings become verdicts: alerts alone, hold and deny when sure, or early.'),
      deadlineMs: z
        .int()
        .min(1)
        .max(60_000)
        .default(150)
        .describe(
          'How long a call waits for its own checks; what its session has read has guard.deadlineMs.',
        ),
      onLate: z
        .enum(['deny', 'hold', 'allow'])
        .default('deny')
        .describe('Verdict when the deadline passes. `allow` is shown in every status output.'),
      callsPerSecond: z
        .number()
        .min(0.1)
        .max(1_000_000)
        .default(50)
        .describe('Calls a second that one session may keep up; faster ones wait.'),
      callsAtOnce: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(500)
        .describe('Calls that one session may make in a burst before callsPerSecond counts.'),
      holdFrom: z
        .number()
        .min(0.05)
        .max(2)
        .nullable()
        .default(null)
        .describe('Score of a call from which it is held, instead of what the profile says; above 1: never.'),
      denyFrom: z
        .number()
        .min(0.05)
        .max(2)
        .nullable()
        .default(null)
        .describe(
          'Score of a call from which it is denied, instead of what the profile says; above 1: never.',
        ),
      responses: z
        .array(
          z.strictObject({
            of: z.enum(['call', 'session']),
            from: z.number().min(0.05).max(1),
            do: z.enum([
              'throttle',
              'hold',
              'deny',
              'quarantine-agent',
              'quarantine-user',
              'revoke-key',
              'revoke-passport',
              'revoke-session',
            ]),
          }),
        )
        .max(32)
        .default([])
        .describe('What is done from which risk of a call or a session on, beside what the profile does.'),
      record: z
        .strictObject({
          enabled: z
            .boolean()
            .default(false)
            .describe(
              'Whether sessions are recorded on this machine, scrubbed, for `sallyport detector export`.',
            ),
          days: z.int().min(1).max(365).default(7).describe('How long a recording is kept.'),
          maxMiBPerDay: z
            .int()
            .min(1)
            .max(1024 * 1024)
            .default(256)
            .describe('How much is recorded on one day; what is more is left out.'),
        })
        .prefault({}),
      decoys: z
        .strictObject({
          listing: z
            .array(decoyName)
            .max(4)
            .default([])
            .describe(
              'Credentials that agents see beside the real ones when they list services; each session gets values of its own.',
            ),
          results: z
            .array(
              z.strictObject({
                from: z.string().min(1).max(200),
                content: z.enum(['env-file', 'json-list', 'not-found']),
                name: decoyName,
              }),
            )
            .max(100)
            .default([])
            .describe(
              'Answers that get a decoy: of which tool or service (`from`, with `*`), of which kind, and its name.',
            ),
          tools: z
            .array(z.string().min(1).max(256))
            .max(100)
            .default([])
            .describe('Tools that nobody has a reason to call: a call is denied and raises an alert.'),
          scopes: z
            .array(z.string().min(1).max(256))
            .max(100)
            .default([])
            .describe('Scopes that nobody has a reason to ask for: asking for one raises an alert.'),
        })
        .prefault({})
        .describe('Where the gate lays decoys out by itself (docs/reference/detector.md).'),
      labels: z
        .array(
          z.strictObject({
            name: z.string().min(1).max(200),
            labels: z.array(z.enum(['untrusted-source', 'private-data', 'public-sink', 'destructive'])),
          }),
        )
        .max(1_000)
        .default([])
        .describe(
          'What tools, services and hosts are (`name`, with `*`), where their names do not tell; the first that fits counts.',
        ),
      trustedAnnotations: z
        .array(z.string().min(1).max(63))
        .max(1_000)
        .default([])
        .describe(
          'Services (with `*`) whose MCP tool annotations are believed also where they make a tool look harmless.',
        ),
      memoryMiB: z
        .int()
        .min(16)
        .max(1024 * 1024)
        .default(512)
        .describe(
          'Memory for all sessions together, MiB. The agent that takes most gives up first, and its sessions say so.',
        ),
    })
    .prefault({}),
  guard: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('Whether a guard model reads along. `false` is shown in every status output.'),
      model: file.describe(
        'Guard model (.gguf, or a folder with model.safetensors), relative to the state folder. Default: models/canary-guard.gguf of the program, where it exists.',
      ),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullable()
        .default(null)
        .describe(
          'SHA-256 that the model file must have, checked before it is parsed. Default: what stands in <model>.sha256, where that exists.',
        ),
      preset: z
        .string()
        .regex(/^[a-z0-9-]{1,40}$/)
        .nullable()
        .default(null)
        .describe(
          'How the model is asked and its answer read (docs/reference/guard.md lists them). Default: follows from the file.',
        ),
      required: z
        .boolean()
        .nullable()
        .default(null)
        .describe(
          'Whether a guard that is dead, lost or slow counts as a missed deadline (detector.onLate). Default: yes, once one has worked on this machine.',
        ),
      threads: z
        .int()
        .min(0)
        .max(256)
        .default(0)
        .describe('Threads that compute; 0: as many as the machine has, at most 16.'),
      int8: z
        .boolean()
        .default(false)
        .describe(
          'Rounds the matrices of a float model (F32, F16, BF16) to int8 while they are read: a quarter of the memory and about twice as fast, with logits that differ by a few percent of the largest.',
        ),
      backend: z
        .enum(['auto', 'cpu', 'cuda', 'simulated'])
        .default('auto')
        .describe(
          'What computes the model: `auto` is the CPU, in a process that can open nothing once it serves; `cuda` an NVIDIA device, whose driver that confinement would stop, so that the process keeps the rest of its limits alone. `simulated` is the CPU behind a link of a chosen speed, which shows on any machine how a model is streamed.',
        ),
      streaming: z
        .enum(['auto', 'resident', 'pinned', 'disk'])
        .default('auto')
        .describe(
          'Where layers lie that the device has no room for: `pinned` in host memory, `disk` in the model file, `auto` as memory allows; `resident` refuses such a model.',
        ),
      maxDeviceBytes: z
        .int()
        .min(1)
        .max(Number.MAX_SAFE_INTEGER)
        .nullable()
        .default(null)
        .describe('Most memory of the device for layers. Default: what it can spare.'),
      maxPinnedBytes: z
        .int()
        .min(1)
        .max(Number.MAX_SAFE_INTEGER)
        .nullable()
        .default(null)
        .describe(
          'Most host memory for layers that wait to be uploaded. Default: what the host can spare (available memory, its cgroups and limits respected).',
        ),
      simulatedLinkBytesPerSecond: z
        .int()
        .min(1)
        .max(Number.MAX_SAFE_INTEGER)
        .nullable()
        .default(null)
        .describe('Speed of the link of the simulated device. Default: 1,000,000,000.'),
      deadlineMs: z
        .int()
        .min(1)
        .max(60_000)
        .default(2_000)
        .describe(
          'Longest time that one text may take the guard; the next call waits as long for what its session has read.',
        ),
      memoryBytes: z
        .int()
        .min(256 * 1024 * 1024)
        .max(16 * 1024 ** 4)
        .nullable()
        .default(null)
        .describe("Most private memory of the guard's process. Default: follows from the size of the model."),
      remote: z
        .string()
        .min(1)
        .max(256)
        .nullable()
        .default(null)
        .describe(
          'A guard that serves several gates of this machine (sallyport guard serve): unix:PATH, or 127.0.0.1:PORT. In place of guard.model.',
        ),
      cascadeModel: file.describe(
        'A bigger guard model, relative to the state folder, asked only where guard.model is unsure. Default: none.',
      ),
      cascadeSha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .nullable()
        .default(null)
        .describe('SHA-256 of its file. Default: what stands in <model>.sha256, where that exists.'),
      cascadePreset: z
        .string()
        .regex(/^[a-z0-9-]{1,40}$/)
        .nullable()
        .default(null)
        .describe('How the bigger model is asked, as guard.preset.'),
      cascadeFrom: z
        .number()
        .min(0)
        .max(1)
        .default(0.3)
        .describe('guard.model is unsure of what it scores from this on, and below guard.cascadeBelow.'),
      cascadeBelow: z
        .number()
        .min(0)
        .max(1)
        .default(0.97)
        .describe('guard.model is sure again from this score on.'),
    })
    .prefault({}),
});

export type Settings = z.infer<typeof configSchema>;
