import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

export type Post = { url: string; headers: Record<string, string>; body: string; signal: AbortSignal }

/** Sends and resolves with the status. A connection of its own, so that no idle one keeps the receiver from closing. */
export function post({ url, headers, body, signal }: Post): Promise<number> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'POST', agent: false, signal, headers }, (response) => {
      response.on('error', reject)
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.resume()
    })
    request.on('error', reject)
    request.end(body)
  })
}
