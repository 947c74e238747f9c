import {
  type CallOptions,
  type Channel,
  ClientError,
  type ClientMiddlewareCall,
  createChannel,
  createClientFactory,
  Metadata,
} from 'nice-grpc'
import { currentCall } from './call.ts'
import { AppError } from './errors.ts'
import { fromClientError } from './grpc-errors.ts'
import { HEADERS, MAX_MESSAGE_BYTES, type TsProtoService } from './grpc-server.ts'

/** The time a call gets when nobody upstream set a shorter one. */
const DEFAULT_TIMEOUT_MS = 3_000
/** Kept back at each hop for the way home. */
export const HOP_MS = 20

/** Clients of one process: channels are made once per address and shared. */
export type Clients = {
  /** A typed client; `Client` is ts-proto's `XServiceClient`. */
  connect<Client>(definition: TsProtoService, address: string, options?: { timeoutMs?: number }): Client
  close(): void
}

/**
 * Clients that carry the current call on: identity, service token, request ids and what is left of the deadline. Errors
 * arrive as the AppError the neighbour threw. Nothing that a neighbour may have worked on is retried here (the mesh retries reads).
 */
export function createClients(options: { serviceToken?: () => Promise<string | undefined> }): Clients {
  const channels = new Map<string, Channel>()
  return {
    connect<Client>(definition: TsProtoService, address: string, own: { timeoutMs?: number } = {}): Client {
      let channel = channels.get(address)
      if (!channel) {
        channel = createChannel(address, undefined, {
          // Without a policy only what reached no handler is sent again: a call that a stopping server refused goes to its successor.
          'grpc.service_config_disable_resolution': 1,
          'grpc.enable_channelz': 0,
          'grpc.max_receive_message_length': 4 * MAX_MESSAGE_BYTES,
          'grpc.initial_reconnect_backoff_ms': 100,
          'grpc.max_reconnect_backoff_ms': 2_000,
        })
        channels.set(address, channel)
      }
      const carry = async function* <Request, Response>(
        call: ClientMiddlewareCall<Request, Response>,
        given: CallOptions,
        // biome-ignore lint/suspicious/noConfusingVoidType: nice-grpc's own type
      ): AsyncGenerator<Response, Response | void, undefined> {
        const parent = currentCall()
        const longest = call.requestStream || call.responseStream ? 600_000 : (own.timeoutMs ?? DEFAULT_TIMEOUT_MS)
        const timeoutMs = Math.min(longest, parent ? parent.deadline - Date.now() - HOP_MS : longest)
        if (timeoutMs <= 0)
          throw new AppError('DEADLINE_EXCEEDED', 'deadline_exceeded', `no time left to call ${call.method.path}`)
        const metadata = Metadata(given.metadata)
        metadata.set(HEADERS.timeoutMs, String(Math.floor(timeoutMs)))
        const token = await options.serviceToken?.()
        if (token) metadata.set(HEADERS.service, `Bearer ${token}`)
        if (parent) {
          if (parent.authorization && !metadata.has(HEADERS.authorization))
            metadata.set(HEADERS.authorization, parent.authorization)
          metadata.set(HEADERS.requestId, parent.requestId)
          metadata.set(HEADERS.correlationId, parent.correlationId)
        }
        const controller = new AbortController()
        const timer = setTimeout(() => controller.abort(), timeoutMs)
        const signals = [given.signal, parent?.signal].filter((signal) => signal !== undefined)
        const abort = () => controller.abort()
        for (const signal of signals) {
          if (signal.aborted) controller.abort()
          else signal.addEventListener('abort', abort, { once: true })
        }
        let trailer: Metadata | undefined
        try {
          return yield* call.next(call.request as never, {
            ...given,
            metadata,
            signal: controller.signal,
            onTrailer(received) {
              trailer = received
              given.onTrailer?.(received)
            },
          })
        } catch (error) {
          if (error instanceof ClientError) throw fromClientError(error.code, error.details, trailer)
          if (controller.signal.aborted)
            throw signals.some((signal) => signal.aborted)
              ? new AppError('CANCELLED', 'call_cancelled', 'the caller went away')
              : new AppError('DEADLINE_EXCEEDED', 'deadline_exceeded', `${call.method.path} did not answer in time`)
          throw error
        } finally {
          clearTimeout(timer)
          for (const signal of signals) signal.removeEventListener('abort', abort)
        }
      }
      return createClientFactory()
        .use(carry)
        .create(definition as never, channel) as Client
    },
    close() {
      for (const channel of channels.values()) channel.close()
    },
  }
}
