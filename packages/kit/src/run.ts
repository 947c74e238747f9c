import { ConfigError } from './config.ts'

/** Something that was started and can be stopped: drains, then releases everything it holds. */
export type Running = { close(): Promise<void> }

/**
 * The main function of every process: loads the configuration, starts, and stops on SIGTERM or SIGINT, by force only
 * after the grace period (SHUTDOWN_GRACE_SECONDS).
 */
export async function run<Config extends { SHUTDOWN_GRACE_SECONDS: number }>(
  name: string,
  load: () => Config,
  start: (config: Config) => Promise<Running>,
): Promise<void> {
  try {
    const config = load()
    const running = await start(config)
    let stopping = false
    // `on`, not `once`: a signal that arrives again must neither stop twice nor kill what is draining.
    const stop = (signal: NodeJS.Signals) => {
      if (stopping) return
      stopping = true
      process.stderr.write(`${name}: ${signal}, stopping\n`)
      setTimeout(() => {
        process.stderr.write(`${name}: forced after the grace period\n`)
        process.exit(1)
      }, config.SHUTDOWN_GRACE_SECONDS * 1000).unref()
      running.close().catch((error) => {
        process.stderr.write(`${name}: stop failed: ${(error as Error).stack}\n`)
        process.exit(1)
      })
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  } catch (error) {
    process.stderr.write(
      error instanceof ConfigError ? `${error.message}\n` : `${name}: cannot start: ${(error as Error).stack}\n`,
    )
    process.exit(1)
  }
}
