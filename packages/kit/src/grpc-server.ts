import type { DescMethod } from '@bufbuild/protobuf'
import { toBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { ServerCredentials } from '@grpc/grpc-js'
import { image } from '@haat/proto/image'
import { type CallContext, createServer, type ServiceDefinition } from 'nice-grpc'
import { HealthDefinition, HealthServiceImpl, HealthState } from 'nice-grpc-server-health'
import { ServerReflection, ServerReflectionService } from 'nice-grpc-server-reflection'
import { type Admission, createAdmission } from './admission.ts'
import { anonymous, bearer, isEdge, type Verifier } from './auth.ts'
import { authorize } from './authorize.ts'
import { type Call, inCall } from './call.ts'
import { getService, type Rule, ruleOf } from './descriptors.ts'
import { AppError, invalid, invalidFields, unauthenticated } from './errors.ts'
import { toServerError } from './grpc-errors.ts'
import { newId } from './id.ts'
import { type Log, plainLines } from './log.ts'
import type { Metrics } from './metrics.ts'
import { isStoreAway } from './store-away.ts'
import { violations } from './validation.ts'

/** What ts-proto generates for a service. */
export type TsProtoService = {
  readonly name: string
  readonly fullName: string
  readonly methods: Record<string, TsProtoMethod>
}
type TsProtoMethod = {
  readonly name: string
  readonly requestType: {
    decode(bytes: Uint8Array): unknown
    encode(value: never): { finish(): Uint8Array }
    fromPartial(value: never): unknown
  }
  readonly responseType: {
    decode(bytes: Uint8Array): unknown
    encode(value: never): { finish(): Uint8Array }
    fromPartial(value: never): unknown
  }
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly options: object
}

/**
 * The RPC table of a service: one function `(ctx, request, call)` per RPC of the contract. `Implementation` is ts-proto's
 * `XServiceImplementation`; a missing RPC is a compile error.
 */
export type RpcTable<Context, Implementation> = {
  [Name in keyof Implementation]: Implementation[Name] extends (request: infer Request, context: never) => infer Result
    ? (ctx: Context, request: Request, call: Call) => Result
    : never
}

export type GrpcService<Context> = {
  definition: TsProtoService
  // biome-ignore lint/suspicious/noExplicitAny: each table is checked against its own contract by RpcTable
  table: Record<string, (ctx: Context, request: any, call: Call) => any>
}

/** Ties a contract to its RPC table. */
export function implement<Context, Implementation>(
  definition: TsProtoService,
  table: RpcTable<Context, Implementation>,
): GrpcService<Context> {
  return { definition, table: table as GrpcService<Context>['table'] }
}

export type GrpcServer = { port: number; drain(): Promise<void> }

/** 1 MiB both ways: everything larger is paged or streamed. */
export const MAX_MESSAGE_BYTES = 1024 * 1024
/** The time an RPC gets when its caller names none, and the most a caller may ask for; streams get the latter. */
const DEFAULT_TIMEOUT_MS = 5_000
const MAX_TIMEOUT_MS = 60_000
const STREAM_TIMEOUT_MS = 600_000
const MAX_IN_FLIGHT = 256

/** Header names of the chassis; values of the first two are credentials. */
export const HEADERS = {
  authorization: 'authorization',
  service: 'x-haat-service',
  requestId: 'x-request-id',
  correlationId: 'x-correlation-id',
  timeoutMs: 'x-timeout-ms',
} as const

type Reflection = ReturnType<typeof ServerReflection>

const refused = Symbol('refused')
type Refusable = { [refused]?: AppError }

/**
 * Starts a gRPC server: checks the contract's field rules on the wire bytes, verifies tokens, enforces the RPC's rule,
 * carries deadline and ids, maps errors, logs one line per call, and serves health and reflection. Refuses to start when
 * an RPC declares no rule.
 */
export async function startGrpcServer<Context>(options: {
  name: string
  services: GrpcService<Context>[]
  ctx: Context
  verify: Verifier
  host: string
  port: number
  log: Log
  metrics: Metrics
  graceMs: number
  /** Calls worked on at once; the next one is refused with UNAVAILABLE `overloaded`. Streams do not count. */
  maxInFlight?: number | undefined
}): Promise<GrpcServer> {
  // Whoever calls has its own queue and knows which of its requests matter most; here nothing waits.
  const admission = createAdmission({ maxInFlight: options.maxInFlight ?? MAX_IN_FLIGHT, maxWaiting: 0, maxWaitMs: 0 })
  const lines = plainLines(options.log)
  const server = createServer({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': 4 * MAX_MESSAGE_BYTES,
    // grpc-js keeps the list of sessions that a forced stop needs only with this on.
    'grpc.enable_channelz': 1,
  })
  for (const service of options.services) {
    const descriptor = getService(service.definition.fullName)
    const definition: Record<string, unknown> = {}
    const implementation: Record<string, unknown> = {}
    for (const [key, method] of Object.entries(service.definition.methods)) {
      const desc = descriptor.method[key]
      if (!desc)
        throw new Error(`${service.definition.fullName}.${key} is not in the descriptor image: run "npm run gen"`)
      const rule = ruleOf(desc)
      if (!rule) throw new Error(`${service.definition.fullName}/${method.name} declares no authorization rule`)
      const handler = service.table[key]
      if (!handler) throw new Error(`${service.definition.fullName}/${method.name} is not implemented`)
      definition[key] = wireMethod(service.definition, method, desc)
      implementation[key] = (method.responseStream ? streaming : unary)({
        ...options,
        lines,
        admission,
        rule,
        method,
        handler,
        stream: method.requestStream,
      })
    }
    server.add(definition as ServiceDefinition, implementation as never)
  }
  const health = HealthState()
  for (const name of ['', ...options.services.map((service) => service.definition.fullName)])
    health.setStatus('healthy', name)
  server.add(HealthDefinition, HealthServiceImpl(health))
  const names = options.services.map((service) => service.definition.fullName)
  const described = [...names, HealthDefinition.fullName]
  server.add(ServerReflectionService, reflection(described))

  const port = await server.listen(`${options.host}:${options.port}`, ServerCredentials.createInsecure())
  return {
    port,
    async drain() {
      for (const name of ['', ...names]) health.setStatus('unhealthy', name)
      let timer: NodeJS.Timeout | undefined
      // A cut-off handler may go on for as long as it likes; a stop does not wait for it.
      const forced = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          server.forceShutdown()
          resolve()
        }, options.graceMs)
      })
      await Promise.race([server.shutdown(), forced])
      clearTimeout(timer)
    },
  }
}

/** Reads the descriptors when somebody asks for the first time: they take more memory than the rest of a service. */
function reflection(described: string[]): Reflection {
  let made: Reflection | undefined
  return {
    serverReflectionInfo(requests, context) {
      made ??= ServerReflection(Buffer.from(toBinary(FileDescriptorSetSchema, image)), described)
      return made.serverReflectionInfo(requests, context)
    },
  }
}

function wireMethod(service: TsProtoService, method: TsProtoMethod, desc: DescMethod) {
  return {
    path: `/${service.fullName}/${method.name}`,
    requestStream: method.requestStream,
    responseStream: method.responseStream,
    options: method.options,
    requestSerialize: (value: never) => method.requestType.encode(value).finish(),
    responseDeserialize: (bytes: Uint8Array) => method.responseType.decode(bytes),
    responseSerialize: (value: never) =>
      method.responseType.encode(method.responseType.fromPartial(value) as never).finish(),
    requestDeserialize(bytes: Uint8Array): unknown {
      try {
        const request = method.requestType.decode(bytes) as Refusable
        const found = violations(desc.input, bytes)
        if (found.length) request[refused] = invalidFields(found)
        return request
      } catch (error) {
        const request: Refusable = {}
        request[refused] = invalid('request_undecodable', `not a ${desc.input.typeName}: ${(error as Error).message}`)
        return request
      }
    },
  }
}

type Wrapped<Context> = {
  name: string
  ctx: Context
  verify: Verifier
  log: Log
  /** Of the calls, one each. */
  lines: Log
  metrics: Metrics
  admission: Admission
  rule: Rule
  method: TsProtoMethod
  stream: boolean
  // biome-ignore lint/suspicious/noExplicitAny: see GrpcService
  handler: (ctx: Context, request: any, call: Call) => any
}

function unary<Context>(options: Wrapped<Context>) {
  return async (request: unknown, context: CallContext) => {
    const started = performance.now()
    const { call, cut } = startCall(options.log, context, options.stream ? STREAM_TIMEOUT_MS : MAX_TIMEOUT_MS)
    let failure: unknown
    let leave: (() => void) | undefined
    try {
      leave = await options.admission.enter('other')
      await identify(call, context, options.verify)
      const input = admit(options, call, request)
      return await inCall(call, () => beforeDeadline(call, cut, options.handler(options.ctx, input, call)))
    } catch (error) {
      failure = explained(error, call)
      throw answer(failure, call, context)
    } finally {
      leave?.()
      finish(options, call, started, failure)
    }
  }
}

function streaming<Context>(options: Wrapped<Context>) {
  return async function* (request: unknown, context: CallContext) {
    const started = performance.now()
    const { call, cut } = startCall(options.log, context, STREAM_TIMEOUT_MS)
    let failure: unknown
    try {
      await identify(call, context, options.verify)
      const input = admit(options, call, request)
      const iterator = inCall(call, () => options.handler(options.ctx, input, call)[Symbol.asyncIterator]())
      while (true) {
        const next = await inCall(call, () =>
          beforeDeadline(call, cut, iterator.next() as Promise<IteratorResult<unknown>>),
        )
        if (next.done) return
        yield next.value
      }
    } catch (error) {
      failure = explained(error, call)
      throw answer(failure, call, context)
    } finally {
      finish(options, call, started, failure)
    }
  }
}

/** A call and what aborts its signal: the caller's leaving, or the deadline. */
function startCall(log: Log, context: CallContext, longestMs: number): { call: Call; cut: AbortController } {
  const header = (name: string) => {
    const value = context.metadata.get(name)
    return typeof value === 'string' && value.length <= 200 ? value : undefined
  }
  const requestId = header(HEADERS.requestId) ?? newId()
  const asked = Number(header(HEADERS.timeoutMs) ?? (longestMs === STREAM_TIMEOUT_MS ? longestMs : DEFAULT_TIMEOUT_MS))
  const timeoutMs = Math.min(Number.isFinite(asked) && asked > 0 ? asked : DEFAULT_TIMEOUT_MS, longestMs)
  const cut = new AbortController()
  if (context.signal.aborted) cut.abort()
  else context.signal.addEventListener('abort', () => cut.abort(), { once: true })
  let own: Log | undefined
  const call = {
    caller: anonymous,
    service: undefined,
    authorization: undefined,
    requestId,
    correlationId: header(HEADERS.correlationId) ?? requestId,
    causationId: undefined,
    deadline: Date.now() + timeoutMs,
    signal: cut.signal,
    // Most calls say nothing but their line.
    get log() {
      own ??= log.child({ requestId })
      return own
    },
  }
  return { call, cut }
}

async function identify(call: Call, context: CallContext, verify: Verifier): Promise<void> {
  const serviceToken = bearer(context.metadata.get(HEADERS.service) as string | undefined)
  if (serviceToken) {
    const service = await verify(serviceToken)
    if (!service.isInternal) throw unauthenticated('token_invalid', 'not a service token')
    call.service = service.id
    if (!isEdge(service.id)) call.caller = { ...service, kind: 'service' }
  }
  const authorization = context.metadata.get(HEADERS.authorization) as string | undefined
  const token = bearer(authorization)
  if (token) {
    call.caller = await verify(token)
    call.authorization = authorization
  }
}

function admit<Context>(options: Wrapped<Context>, call: Call, request: unknown): unknown {
  if (options.stream) {
    authorize(options.rule, call, {})
    return checked(request as AsyncIterable<unknown>)
  }
  const problem = (request as Refusable)[refused]
  // Identity is checked first, so that a stranger learns nothing about the contract's rules.
  authorize(options.rule, call, problem ? {} : request)
  if (problem) throw problem
  return request
}

async function* checked(requests: AsyncIterable<unknown>) {
  for await (const request of requests) {
    const problem = (request as Refusable)[refused]
    if (problem) throw problem
    yield request
  }
}

function beforeDeadline<T>(call: Call, cut: AbortController, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(
      () => {
        reject(new AppError('DEADLINE_EXCEEDED', 'deadline_exceeded', 'the answer took longer than the caller waits'))
        // Nobody waits any more: what the handler still does, its own calls included, ends here.
        cut.abort()
      },
      Math.max(0, call.deadline - Date.now()),
    )
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}

// PostgreSQL: not representable as the column's type, out of range, not a date, bytes that are no text. Only values that a
// caller chose get that far: a forged page token, for instance.
const REFUSED_BY_STORE = new Set(['22P02', '22003', '22007', '22008', '22021'])

/** A store that is away is no mistake of ours: the caller hears it as such, and may come again. */
function explained(error: unknown, call: Call): unknown {
  if (error instanceof AppError || call.signal.aborted || !isStoreAway(error)) return error
  const { code, message } = error as Error & { code?: string }
  call.log.warn({ code, reason: message }, 'a store does not answer')
  return new AppError('UNAVAILABLE', 'store_unavailable', 'a store does not answer; try again in a moment', {}, error)
}

function answer(error: unknown, call: Call, context: CallContext): unknown {
  if (error instanceof AppError && error.status !== 'INTERNAL') return toServerError(error, context.trailer)
  if (call.signal.aborted)
    return toServerError(new AppError('CANCELLED', 'call_cancelled', 'the caller went away'), context.trailer)
  if (REFUSED_BY_STORE.has((error as { code?: string })?.code ?? ''))
    return toServerError(
      invalid('request_invalid', 'a value of the request cannot be stored or compared'),
      context.trailer,
    )
  call.log.error({ err: error }, 'unexpected error')
  return toServerError(
    new AppError('INTERNAL', 'internal_error', 'something went wrong on our side', { requestId: call.requestId }),
    context.trailer,
  )
}

function finish<Context>(options: Wrapped<Context>, call: Call, started: number, failure: unknown): void {
  const seconds = (performance.now() - started) / 1000
  const status =
    failure === undefined
      ? 'OK'
      : failure instanceof AppError
        ? failure.status
        : call.signal.aborted
          ? 'CANCELLED'
          : 'INTERNAL'
  options.metrics.rpc.observe({ method: options.method.name, status }, seconds)
  options.lines.info({
    requestId: call.requestId,
    rpc: options.method.name,
    status,
    ...(failure instanceof AppError ? { code: failure.code } : {}),
    caller: call.caller.kind,
    ...(call.service ? { from: call.service } : {}),
    ms: Math.round(seconds * 1e6) / 1000,
  })
}
