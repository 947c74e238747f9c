import { ProviderError, SEND_TIMEOUT_MS } from './provider.ts'

/** Calls a provider's API; throws ProviderError unless it answers 2xx. */
export async function callProvider(
  name: string,
  url: string,
  init: { headers: Record<string, string>; body: string | URLSearchParams | FormData },
): Promise<{ headers: Headers; body: unknown }> {
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
      ...init,
    })
    text = await response.text()
  } catch (cause) {
    throw new ProviderError(`${name} unreachable`, { cause })
  }
  const body = parseJson(text)
  if (response.ok) return { headers: response.headers, body }
  const code = (body as { code?: unknown } | undefined)?.code
  throw statusError(name, response.status, response.headers.get('retry-after'), code)
}

/** What a status other than 2xx means. Wrong credentials are ours to repair, so the message waits for that. */
export function statusError(name: string, status: number, retryAfter?: string | null, code?: unknown): ProviderError {
  const mayRecover = status >= 500 || [401, 403, 408, 429].includes(status)
  const suffix = typeof code === 'number' ? ` ${code}` : ''
  return new ProviderError(`${name} ${status}${suffix}`, {
    permanent: !mayRecover,
    retryAfterSeconds: toSeconds(retryAfter),
    gone: status === 404 || status === 410,
  })
}

function toSeconds(header: string | null | undefined): number {
  if (!header) return 0
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds)
  const at = Date.parse(header)
  return Number.isNaN(at) ? 0 : Math.max(0, (at - Date.now()) / 1000)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const basicAuth = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
