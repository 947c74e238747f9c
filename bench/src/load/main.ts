// The process that makes the load. It speaks raw HTTP over its own sockets, so that next to nothing of the machine goes into
// asking; what it does take is measured like every other process.
import { type Connection, openConnection } from './connection.ts'
import type { FromLoad, Job, Result } from './protocol.ts'
import { openStory } from './stories.ts'

const tell = (message: FromLoad) => process.send!(message)

process.on('message', async (job: Job) => {
  tell({ kind: 'done', result: await work(job) })
})
process.on('disconnect', () => process.exit(0))
tell({ kind: 'ready' })

async function work({ script, concurrency, warmupSeconds, seconds, times = Infinity }: Job): Promise<Result> {
  const story = await openStory(script)
  const latencies: number[] = []
  const errors: Record<string, number> = {}
  const orderIds: string[] = []
  const begin = performance.now()
  const measureFrom = begin + warmupSeconds * 1000
  const until = measureFrom + seconds * 1000
  let measuringSince = 0
  let last = measureFrom
  let begun = 0

  const worker = async (index: number) => {
    let connection: Connection = await openConnection(script.port)
    for (;;) {
      const started = performance.now()
      if (started >= until || begun++ >= times) break
      if (started >= measureFrom && !measuringSince) {
        measuringSince = started
        tell({ kind: 'measuring' })
      }
      try {
        const played = await story.play(connection, index)
        if (!played) break
        const ended = performance.now()
        if (started >= measureFrom) {
          latencies.push(ended - started)
          last = ended
          if (played.orderId) orderIds.push(played.orderId)
        }
      } catch (error) {
        const message = (error as Error).message
        errors[message] = (errors[message] ?? 0) + 1
        connection.close()
        // A server that refuses everything is not asked ten thousand times.
        await new Promise((resolve) => setTimeout(resolve, 50))
        connection = await openConnection(script.port)
      }
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: concurrency }, (_, index) => worker(index)))
  if (!measuringSince) tell({ kind: 'measuring' })
  await story.close()
  return {
    seconds: (last - (measuringSince || measureFrom)) / 1000,
    latencies: latencies.sort((a, b) => a - b),
    errors,
    position: story.position(),
    orderIds,
  }
}
