export const HANDLED_CHANNEL = 'bench_handled'
/** Rows that the handler writes in turn. */
export const SKUS = 1000

export type HandlerTask = { url: string; rabbitmqUrl: string; prefix: string }
export type PublisherTask = HandlerTask & {
  handlerUrl: string
  perSecond: number
  warmupSeconds: number
  seconds: number
}
export type Published = { latencies: number[]; perSecond: number; lost: number }
