/** Where notices go; all types unless some are named. */
export type WebhookTarget = { url: string; secret: string; events?: readonly string[] }

export type EmulatorOptions = {
  /** 0, the default, takes a free port. */
  port?: number
  host?: string
  secretKey?: string
  publishableKey?: string
  webhook?: WebhookTarget[]
  /** Where everything is kept between runs; without it the state lives and dies with the process. */
  stateFile?: string
  /** Waiting times before the second, third, … attempt of a webhook; the last one repeats until it is accepted. */
  retryScheduleMs?: number[]
  /** How long a webhook's receiver may take to answer. */
  webhookTimeoutMs?: number
  /** What a charge costs the platform: a rate and a fixed part in minor units. */
  fee?: { bps: number; fixedMinor: number }
}

export type Settings = Required<Omit<EmulatorOptions, 'stateFile'>> & { stateFile: string | undefined }

export function settingsFrom(options: EmulatorOptions): Settings {
  return {
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    secretKey: options.secretKey ?? 'sk_test_haat',
    publishableKey: options.publishableKey ?? 'pk_test_haat',
    webhook: options.webhook ?? [],
    stateFile: options.stateFile,
    retryScheduleMs: options.retryScheduleMs ?? [100, 500, 1_000, 5_000, 15_000, 60_000],
    webhookTimeoutMs: options.webhookTimeoutMs ?? 10_000,
    fee: options.fee ?? { bps: 290, fixedMinor: 30 },
  }
}
