import { z } from 'zod'

/** Thrown when the environment does not describe a process that can start; names every faulty variable at once. */
export class ConfigError extends Error {
  constructor(name: string, problems: string[]) {
    super(`${name}: configuration is not usable\n${problems.map((p) => `  - ${p}`).join('\n')}`)
    this.name = 'ConfigError'
  }
}

/**
 * Declares the variables a process reads, with their defaults, in one place. The keys are the variables' own names.
 * The returned function reads an environment and reports all missing or malformed variables together.
 */
export function defineConfig<Shape extends z.ZodRawShape>(name: string, shape: Shape) {
  const schema = z.object(shape)
  return (env: Record<string, string | undefined> = process.env): z.infer<typeof schema> => {
    const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
    const result = schema.safeParse(given)
    if (result.success) return result.data
    throw new ConfigError(
      name,
      result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    )
  }
}

/** An integer variable. */
export const int = (fallback: number, min = 0) => z.coerce.number().int().min(min).default(fallback)
/** A yes/no variable: true, 1, yes. */
export const flag = (fallback: boolean) =>
  z
    .string()
    .default(String(fallback))
    .transform((text) => ['true', '1', 'yes'].includes(text.toLowerCase()))
/** A required text variable. */
export const text = () => z.string({ error: 'is missing' }).min(1)
/** A neighbour's gRPC address, `host:port`; by default the name of its Kubernetes Service. */
export const address = (service: string) => z.string().default(`${service}:50051`)

/** What every service and BFF reads. */
export const chassis = {
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** The address listeners bind to. */
  HOST: z.string().default('0.0.0.0'),
  /** /metrics, /livez, /readyz. */
  ADMIN_PORT: int(8081),
  /** How long a stop may take before it is forced. */
  SHUTDOWN_GRACE_SECONDS: int(20, 1),
  AUTH_ADDR: address('auth'),
  /** `iss` of every token. */
  AUTH_ISSUER: z.string().default('haat'),
  /** A fixed JWK set (JSON) instead of asking auth; tests and air-gapped tools. */
  JWKS_JSON: z.string().optional(),
  /** Client credentials of this process at auth, for its service token. */
  SERVICE_CLIENT_ID: z.string().optional(),
  SERVICE_CLIENT_SECRET: z.string().optional(),
  /** Whether this process starts jobs by itself; without, they run elsewhere or when somebody asks. */
  RUN_JOBS: flag(true),
}

/** What every gRPC service reads on top. */
export const grpcServer = {
  ...chassis,
  GRPC_PORT: int(50051),
  /** RPCs worked on at once; the next one is UNAVAILABLE `overloaded`. */
  MAX_IN_FLIGHT: int(256, 1),
}

/** A PostgreSQL store. */
export const postgres = {
  POSTGRES_URL: text(),
  /** The owner's URL, used for migrations only; the same role as POSTGRES_URL when absent. */
  POSTGRES_MIGRATE_URL: z.string().optional(),
  POSTGRES_POOL_SIZE: int(10, 1),
}

/** A secret, or several by comma while one replaces another: the first is used, the others are still understood. */
export const secrets = () =>
  text()
    .transform((list) => list.split(','))
    .refine((list) => list.every((secret) => secret.length >= 32), { error: 'needs at least 32 characters' })

/** The message broker. */
export const broker = {
  RABBITMQ_URL: text(),
  /** Seals what is personal in events, from publishing on; the same in all services. */
  EVENT_SECRET: secrets(),
  /** Delays between attempts of a failing event handler, seconds; one attempt more than delays, then the dead-letter queue. */
  EVENT_RETRY_SECONDS: z
    .string()
    .default('1,5,30,300,1800')
    .transform((list) => list.split(',').map(Number)),
  /** First part of every name on the broker; tests that share one take their own. */
  EVENT_PREFIX: z.string().optional(),
  /**
   * Publishes once more, at every start, what was published since this moment; at most three days back. Set it for the first
   * start after a restore or after the broker was lost, and take it away again.
   */
  REPLAY_EVENTS_SINCE: z.coerce.date().optional(),
}

export const mongo = { MONGO_URL: text(), MONGO_DATABASE: z.string().optional() }
export const redis = {
  REDIS_URL: text(),
  /** Longest wait for one answer of Redis; above it the caller goes on without, or is refused. */
  REDIS_TIMEOUT_MS: int(200, 10),
}
