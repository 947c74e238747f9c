import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { inCall, systemCall } from '@haat/kit/call'
import { listServices } from '@haat/kit/descriptors'
import { AppError } from '@haat/kit/errors'
import { createClients } from '@haat/kit/grpc-client'
import type { TsProtoService } from '@haat/kit/grpc-server'
import { createLog } from '@haat/kit/log'
import { AuthServiceDefinition } from '@haat/proto/auth/v1/auth'
import { CartServiceDefinition } from '@haat/proto/cart/v1/cart'
import { CatalogServiceDefinition } from '@haat/proto/catalog/v1/catalog'
import { InventoryServiceDefinition } from '@haat/proto/inventory/v1/inventory'
import { NotificationServiceDefinition } from '@haat/proto/notification/v1/notification'
import { OrderServiceDefinition } from '@haat/proto/order/v1/order'
import { PaymentServiceDefinition } from '@haat/proto/payment/v1/payment'
import { ProfileServiceDefinition } from '@haat/proto/profile/v1/profile'
import { PromotionServiceDefinition } from '@haat/proto/promotion/v1/promotion'
import { ReviewServiceDefinition } from '@haat/proto/review/v1/review'
import { ShippingServiceDefinition } from '@haat/proto/shipping/v1/shipping'
import { VendorServiceDefinition } from '@haat/proto/vendor/v1/vendor'
import type { Devnet } from '../devnet.ts'
import { roster } from '../roster.ts'

export const definitions: TsProtoService[] = [
  AuthServiceDefinition,
  CartServiceDefinition,
  CatalogServiceDefinition,
  InventoryServiceDefinition,
  NotificationServiceDefinition,
  OrderServiceDefinition,
  PaymentServiceDefinition,
  ProfileServiceDefinition,
  PromotionServiceDefinition,
  ReviewServiceDefinition,
  ShippingServiceDefinition,
  VendorServiceDefinition,
]

/** What a caller shows: a person's or a tool's token, a Haat service's, both, or nothing. */
export type Credentials = { token?: string; serviceToken?: string }

/** An RPC as the contract describes it. */
export type Method = ReturnType<typeof listServices>[number]['methods'][number]

/** What an RPC came to; streams with all their messages. */
export type Answer = { status: string; code: string; message: string; details: object; body?: unknown }

/** `haat.order.v1.OrderService` → `order`. */
export const serviceOf = (fullName: string): string => fullName.split('.')[1]!

/** Every RPC of the contracts as `order.GetOrder`. */
export const rpcMethods = () =>
  new Map(
    listServices().flatMap(({ typeName, methods }) =>
      methods.map((method): [string, Method] => [`${serviceOf(typeName)}.${method.name}`, method]),
    ),
  )

export type Rpcs = {
  /** Calls `order.GetOrder` directly, past every BFF; never throws what the service answered. */
  call(name: string, request: object, who?: Credentials): Promise<Answer>
  /** The same for a call that must succeed; answers its body. */
  // biome-ignore lint/suspicious/noExplicitAny: any RPC's answer
  ask(name: string, request: object, who?: Credentials): Promise<any>
  close(): void
}

/**
 * Clients of all services of a marketplace, for whoever has the credentials. `raw`: a request is `{ bytes }`, sent as they are.
 */
export function openRpcs(devnet: Pick<Devnet, 'ports'>, options: { raw?: boolean } = {}): Rpcs {
  const caller = new AsyncLocalStorage<Credentials>()
  const clients = createClients({ serviceToken: async () => caller.getStore()?.serviceToken })
  // One signal for all: none of these calls is cut off.
  const patient = { ...systemCall(createLog('drill', 'silent')), signal: new AbortController().signal }
  const connected = new Map<string, Record<string, (request: unknown) => unknown>>()
  for (const definition of definitions) {
    const name = serviceOf(definition.fullName)
    const { port } = devnet.ports.of(roster.find((member) => member.name === name)!)
    const spoken = options.raw ? unchecked(definition) : definition
    connected.set(name, clients.connect(spoken, `127.0.0.1:${port}`, { timeoutMs: 20_000 }))
  }
  const methods = rpcMethods()
  const invoke = async (name: string, request: object): Promise<unknown> => {
    const [service, method] = name.split('.') as [string, string]
    const { methodKind } = methods.get(name)!
    const input = methodKind === 'bidi_streaming' ? each(Array.isArray(request) ? request : [request]) : request
    const answer = connected.get(service)![method[0]!.toLowerCase() + method.slice(1)]!(input)
    if (methodKind === 'unary') return answer
    const messages: unknown[] = []
    for await (const message of answer as AsyncIterable<unknown>) messages.push(message)
    return messages
  }
  const run = (name: string, request: object, who: Credentials): Promise<unknown> => {
    const authorization = who.token === undefined ? undefined : `Bearer ${who.token}`
    const call = { ...patient, requestId: randomUUID(), deadline: Date.now() + 20_000, authorization }
    return caller.run(who, () => inCall(call, () => invoke(name, request)))
  }
  return {
    async call(name, request, who = {}) {
      try {
        return { status: 'OK', code: '', message: '', details: {}, body: await run(name, request, who) }
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        const { status, code, message, details } = error
        return { status, code, message, details }
      }
    },
    ask: (name, request, who = {}) => run(name, request, who),
    close: () => clients.close(),
  }
}

/** The definition of a service whose requests are bytes that somebody else made. */
const unchecked = (definition: TsProtoService): TsProtoService => ({
  ...definition,
  methods: Object.fromEntries(
    Object.entries(definition.methods).map(([name, method]) => [
      name,
      {
        ...method,
        requestType: {
          decode: method.requestType.decode,
          encode: ({ bytes }: { bytes: Uint8Array }) => ({ finish: () => bytes }),
          fromPartial: (request: object) => request,
        },
      },
    ]),
  ),
})

async function* each<Item>(items: Item[]): AsyncGenerator<Item> {
  yield* items
}
