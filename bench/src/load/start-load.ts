import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { FromLoad, Job, Result } from './protocol.ts'

export type Load = {
  readonly pid: number
  /** Plays a job; `onMeasuring` is called when the warm-up is over. */
  play(job: Job, onMeasuring: () => void): Promise<Result>
  close(): void
}

/** Starts the process that makes the load. */
export async function startLoad(): Promise<Load> {
  const child: ChildProcess = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), { execArgv: [] })
  await once(child, 'message')
  return {
    pid: child.pid!,
    play: (job, onMeasuring) =>
      new Promise((resolve, reject) => {
        const gone = () => reject(new Error('the load generator died'))
        const listen = (message: FromLoad) => {
          if (message.kind === 'measuring') onMeasuring()
          if (message.kind !== 'done') return
          child.off('message', listen).off('exit', gone)
          resolve(message.result)
        }
        child.on('message', listen).on('exit', gone)
        child.send(job)
      }),
    close: () => child.disconnect(),
  }
}
