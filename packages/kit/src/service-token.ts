import { type AuthServiceClient, AuthServiceDefinition } from '@haat/proto/auth/v1/auth'
import type { JwkSet } from './auth.ts'
import { inCall, systemCall } from './call.ts'
import { createClients } from './grpc-client.ts'
import type { Log } from './log.ts'

const RENEW_BEFORE_MS = 60_000

/** What a process asks of auth: the published keys, and its own service token (cached until a minute before it expires). */
export function connectAuth(options: {
  address: string
  jwksJson: string | undefined
  clientId: string | undefined
  clientSecret: string | undefined
  log: Log
}): { fetchJwks: () => Promise<JwkSet>; serviceToken: () => Promise<string | undefined>; close(): void } {
  const clients = createClients({})
  const auth = clients.connect<AuthServiceClient>(AuthServiceDefinition, options.address)
  // A call of its own: the token belongs to the process, whichever request happens to need it first.
  const alone = <T>(work: () => Promise<T>) => inCall(systemCall(options.log, { timeoutMs: 5_000 }), work)
  let current: { token: string; renewAt: number } | undefined
  let pending: Promise<string> | undefined

  const issue = async (clientId: string, clientSecret: string) => {
    const issued = await alone(() => auth.issueServiceToken({ clientId, clientSecret }))
    const expires = issued.expiresAt?.getTime() ?? Date.now() + 2 * RENEW_BEFORE_MS
    current = { token: issued.accessToken, renewAt: expires - RENEW_BEFORE_MS }
    return issued.accessToken
  }
  return {
    async fetchJwks() {
      if (options.jwksJson) return JSON.parse(options.jwksJson) as JwkSet
      const { keys } = await alone(() => auth.getJwks({}))
      return { keys }
    },
    async serviceToken() {
      const { clientId, clientSecret } = options
      if (!clientId || !clientSecret) return undefined
      if (current && current.renewAt > Date.now()) return current.token
      pending ??= issue(clientId, clientSecret).finally(() => {
        pending = undefined
      })
      return pending
    },
    close: () => clients.close(),
  }
}
