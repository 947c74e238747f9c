import type { Call, Context } from '../context.ts'
import type { RawHash } from './form.ts'
import { readParams, type Shape, type Values } from './params.ts'

export type Method = 'GET' | 'POST' | 'DELETE'
export type Execute = (ctx: Context, call: Call) => object

/** `prepare` validates; the function it returns executes. Only what is executed is kept under an idempotency key. */
export type Route = {
  method: Method
  pattern: string
  /** Whether the browser's publishable key may call it; the handler then asks for the client secret. */
  publishable: boolean
  prepare: (raw: RawHash) => Execute
}

export type Handler<S extends Shape> = (ctx: Context, params: Values<S>, call: Call) => object

export function route<S extends Shape>(
  method: Method,
  pattern: string,
  shape: S,
  handle: Handler<S>,
  options: { publishable?: boolean } = {},
): Route {
  return {
    method,
    pattern,
    publishable: options.publishable ?? false,
    prepare: (raw) => {
      const params = readParams(raw, shape)
      return (ctx, call) => handle(ctx, params, call)
    },
  }
}

/** The values of a pattern's `:names` in a path, or undefined if it is another path. */
export function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const values: Record<string, string> = {}
  for (const [index, segment] of wanted.entries()) {
    const value = given[index] ?? ''
    if (segment.startsWith(':') && value !== '') values[segment.slice(1)] = value
    else if (segment !== value) return undefined
  }
  return values
}
