import { randomUUID } from 'node:crypto'
import { camelCase } from '@haat/kit/descriptors'
import type { Devnet } from '../../devnet.ts'
import { type Operation, type Schema, sample } from '../openapi.ts'
import type { Identity } from './identities.ts'
import type { Line } from './lines.ts'
import type { RouteLine } from './route-lines.ts'
import { PLAIN_ROLE } from './rpc-lines.ts'
import type { World } from './worlds.ts'

export type RouteRequest = {
  path: string
  query: string
  headers: Record<string, string>
  body: string | undefined
}

/** A request of a route that asks for what the RPC behind it would be asked for. */
export function requestOf(cell: {
  operation: Operation
  route: RouteLine
  line: Line
  me: Identity
  of: World
  /** Another vendor's path than the object's. */
  vendorPath?: string | undefined
}): RouteRequest {
  const { operation, route, line, me, of, vendorPath } = cell
  const fields: Record<string, unknown> = { vendorId: me.vendorId ?? of.vendorId }
  for (const [name, value] of Object.entries(line.request(of, me))) {
    // Bodies have the fields of a oneof side by side.
    const chosen = value as { $case?: string; value?: unknown }
    if (chosen?.$case === undefined) fields[name] = value
    else Object.assign(fields, { [chosen.$case]: chosen.value }, chosen.value)
  }
  if (line.by === 'vendorId') fields.vendorId = of.vendorId
  if (vendorPath) fields.vendorId = vendorPath
  Object.assign(fields, { role: PLAIN_ROLE, provider: 'stripe', carrier: 'table' })
  const path = operation.path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    const value = fields[name === 'id' ? (route.id ?? name) : name]
    return value === undefined ? '' : encodeURIComponent(String(value))
  })
  const query = operation.parameters
    .filter(
      ({ in: place, name, required }) => place === 'query' && (required || typeof fields[camelCase(name)] === 'string'),
    )
    .map(({ name, schema }) => {
      const given = schema.enum ? undefined : fields[camelCase(name)]
      return `${name}=${encodeURIComponent(String(given ?? sample(schema, 'all')))}`
    })
    .join('&')
  const headers: Record<string, string> = {}
  const token = me.who.token ?? me.who.serviceToken
  if (token) headers.authorization = `Bearer ${token}`
  if (typeof fields.cartToken === 'string') headers['x-cart-token'] = fields.cartToken
  if (operation.parameters.some(({ in: place }) => place === 'header')) headers['idempotency-key'] = randomUUID()
  if (operation.contentType) headers['content-type'] = operation.contentType
  return { path, query, headers, body: bodyOf(operation, fields) }
}

function bodyOf({ schema, contentType }: Operation, fields: Record<string, unknown>): string | undefined {
  if (schema) return JSON.stringify(toJson(schema, fields))
  if (contentType === 'text/csv') return 'product,title,sku,price,currency\n'
  return contentType ? '%PDF-1.4\n%%EOF\n' : undefined
}

/** What a route takes for what its RPC is asked; made up where the two differ. */
function toJson(schema: Schema, value: unknown): unknown {
  if (schema.enum) return typeof value === 'number' ? (schema.enum[value - 1] ?? schema.enum[0]) : sample(schema, 'all')
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map((item) => (schema.items ? toJson(schema.items, item) : item))
  if (typeof value !== 'object' || value === null || !schema.properties) return value
  const given = Object.entries(schema.properties)
    .map(([name, each]) => [name, toJson(each, (value as Record<string, unknown>)[name])] as const)
    .filter(([name, made]) => made !== undefined && (value as Record<string, unknown>)[name] !== undefined)
  return { ...(sample(schema, 'required') as object), ...Object.fromEntries(given) }
}

/** True when the request says which object it means. */
export const names = ({ path, query, headers, body }: RouteRequest, id: string): boolean =>
  [path, query, body, ...Object.values(headers)].some((part) => part?.includes(encodeURIComponent(id)))

export type HttpAnswer = { status: number; code: string; text: string }

export async function sendRequest(
  devnet: Pick<Devnet, 'urls'>,
  { api, method }: Operation,
  { path, query, headers, body }: RouteRequest,
): Promise<HttpAnswer> {
  const answer = await fetch(`${devnet.urls[api as 'admin']}${path}${query ? `?${query}` : ''}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  })
  const text = await answer.text()
  const code = /^\{"error":\{"code":"(\w+)"/.exec(text)?.[1] ?? ''
  return { status: answer.status, code, text }
}
