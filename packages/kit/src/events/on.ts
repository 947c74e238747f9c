import type { Transaction } from 'kysely'
import { type EventDefinition, type EventMessage, eventOf } from './definition.ts'
import type { Event } from './envelope.ts'

export type HandlerOptions = {
  /**
   * Last part of the queue's name, `<service>.<name>`; the event's type by default. Handlers of several events that give
   * the same name share one queue.
   */
  name?: string
  /** Handlers running at once per process, 20 by default. */
  concurrency?: number
  /** After this the attempt counts as failed, 30 seconds by default. */
  timeoutSeconds?: number
}

// biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
type Tx = Transaction<any>

/** One row of a service's event table. */
export type EventHandler<Ctx> = {
  event: EventDefinition<unknown>
  options: HandlerOptions
  handle:
    | {
        kind: 'transactional'
        run(ctx: Ctx, event: Event<unknown>, tx: Tx): Promise<void>
        concerns(ctx: Ctx, event: Event<unknown>): boolean | Promise<boolean>
      }
    | { kind: 'idempotent'; run(ctx: Ctx, event: Event<unknown>): Promise<void> }
}

/**
 * Handles an event exactly once in effect: the handler's writes through `tx` commit together with the record that the event
 * was handled. The handler calls no neighbours, since a transaction must not wait for a network. PostgreSQL services only.
 * An event that does not concern it, as `concerns` says, needs no transaction and no record.
 */
export function on<Ctx, Data>(
  message: EventMessage<Data>,
  handler: (ctx: Ctx, event: Event<Data>, tx: Tx) => Promise<void>,
  {
    concerns = () => true,
    ...options
  }: HandlerOptions & { concerns?: (ctx: Ctx, event: Event<Data>) => boolean | Promise<boolean> } = {},
): EventHandler<Ctx> {
  return {
    event: eventOf(message) as EventDefinition<unknown>,
    options,
    handle: { kind: 'transactional', run: handler, concerns } as EventHandler<Ctx>['handle'],
  }
}

/**
 * Handles an event at least once, outside any transaction: for MongoDB and Redis services and for handlers that call
 * neighbours. The handler must bear repetition, even while an earlier run of the same event has not ended.
 */
export function onIdempotent<Ctx, Data>(
  message: EventMessage<Data>,
  handler: (ctx: Ctx, event: Event<Data>) => Promise<void>,
  options: HandlerOptions = {},
): EventHandler<Ctx> {
  return {
    event: eventOf(message) as EventDefinition<unknown>,
    options,
    handle: { kind: 'idempotent', run: handler as (ctx: Ctx, event: Event<unknown>) => Promise<void> },
  }
}
