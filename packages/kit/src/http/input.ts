import type { Context } from 'hono'
import type { ZodError } from 'zod'
import { AppError, type FieldViolation, invalid, invalidFields } from '../errors.ts'
import type { HttpEnv } from './context.ts'
import { HttpError, tooLarge } from './problem.ts'

const MAX_DEPTH = 32
const MAX_FIELDS = 20

/** Refuses wrong percent-encoding, text that is not UTF-8 and NUL characters in path and query: 400 `url_malformed`. */
export function checkUrl(url: string): void {
  if (!url.includes('%')) return
  let text: string
  try {
    text = decodeURIComponent(url.slice(url.indexOf('/', url.indexOf('//') + 2)))
  } catch {
    throw invalid('url_malformed', 'the address is not percent-encoded UTF-8')
  }
  if (text.includes('\0')) throw invalid('url_malformed', 'the address contains a NUL character')
}

/** `Application/JSON; charset=utf-8` → `application/json`; undefined without a header. */
export function mediaType(c: Context<HttpEnv>): string | undefined {
  return c.req.header('content-type')?.replace(/;.*$/s, '').trim().toLowerCase()
}

/** Refuses a body whose declared length is over the limit, before any of it is read. */
export function checkLength(c: Context<HttpEnv>, limitBytes: number): void {
  if (Number(c.req.header('content-length') ?? 0) > limitBytes) throw tooLarge(limitBytes)
}

/** The whole body; 413 `body_too_large` as soon as it exceeds the limit, declared or not. */
export async function readBody(c: Context<HttpEnv>, limitBytes: number): Promise<Uint8Array> {
  checkLength(c, limitBytes)
  // The parser holds the sender to a declared length, so that only other bodies need counting.
  if (c.req.header('content-length') !== undefined && c.req.header('transfer-encoding') === undefined) {
    const bytes = new Uint8Array(await c.req.raw.arrayBuffer().catch(gone))
    if (bytes.byteLength > limitBytes) throw tooLarge(limitBytes)
    return bytes
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of bodyStream(c, limitBytes)) chunks.push(chunk)
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** The body piece by piece, for imports and uploads; 413 `body_too_large` once it exceeds the limit. */
export async function* bodyStream(c: Context<HttpEnv>, limitBytes: number): AsyncGenerator<Uint8Array> {
  checkLength(c, limitBytes)
  const reader = c.req.raw.body?.getReader()
  if (!reader) return
  let size = 0
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(gone)
      if (done) return
      size += value.byteLength
      if (size > limitBytes) throw tooLarge(limitBytes)
      yield value
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

const gone = (cause: unknown): never => {
  throw new AppError('CANCELLED', 'call_cancelled', 'the client went away', {}, cause)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses a JSON body: 400 `json_malformed` unless it is UTF-8 JSON; 400 `request_invalid` for what no service stores:
 * NUL characters, lone surrogates, numbers out of range, `__proto__` keys, nesting deeper than 32.
 */
export function parseJson(bytes: Uint8Array): unknown {
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(bytes))
  } catch {
    throw invalid('json_malformed', 'the body is not JSON in UTF-8')
  }
  const found = inspect(value, 0)
  if (found) throw invalidFields([{ field: found.path.reverse().join('.'), rule: found.rule, message: found.message }])
  return value
}

type Finding = { path: string[]; rule: string; message: string }

function inspect(value: unknown, depth: number): Finding | undefined {
  if (typeof value === 'string') return inspectText(value)
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : { path: [], rule: 'number', message: 'is out of range' }
  if (typeof value !== 'object' || value === null) return undefined
  if (depth >= MAX_DEPTH) return { path: [], rule: 'depth', message: `is nested deeper than ${MAX_DEPTH}` }
  for (const [key, item] of Object.entries(value)) {
    const found =
      key === '__proto__'
        ? { path: [], rule: 'key', message: 'is not allowed' }
        : (inspectText(key) ?? inspect(item, depth + 1))
    if (!found) continue
    found.path.push(key.replaceAll('\0', ''))
    return found
  }
  return undefined
}

function inspectText(text: string): Finding | undefined {
  if (text.includes('\0')) return { path: [], rule: 'nul', message: 'contains a NUL character' }
  if (!text.isWellFormed()) return { path: [], rule: 'utf8', message: 'contains a lone surrogate' }
  return undefined
}

/** Zod's findings as our 400 `request_invalid`, `details.fields` lists them. */
export function refuseInvalid(result: { success: boolean; error?: ZodError; target: string }): void {
  if (result.success || !result.error) return
  const fields: FieldViolation[] = []
  for (const issue of result.error.issues.slice(0, MAX_FIELDS)) {
    const path = issue.path.map(String).join('.')
    if (issue.code === 'unrecognized_keys')
      for (const key of issue.keys.slice(0, MAX_FIELDS))
        fields.push({ field: path ? `${path}.${key}` : key, rule: 'unknown_field', message: 'is not a known field' })
    else fields.push({ field: path || result.target, rule: issue.code, message: issue.message })
  }
  throw invalidFields(fields)
}

/** 411: the body's length must be declared where we do not count it ourselves. */
export const lengthRequired = (): HttpError =>
  new HttpError(411, 'length_required', 'declare the length of the body with Content-Length')
