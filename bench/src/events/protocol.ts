/** Rows that the handler writes in turn. */
export const SKUS = 1000

export type HandlerTask = { url: string; rabbitmqUrl: string; prefix: string }
export type PublisherTask = HandlerTask & { perSecond: number }
/** When what happened to an event, by the shared clock. */
export type Moments = [eventId: string, at: number][]
/** Events and when their commits were sent. */
export type Published = { committing: Moments; perSecond: number }

/** Milliseconds of the clock that all processes of a machine share. */
export const sharedClock = (): number => Number(process.hrtime.bigint()) / 1e6
