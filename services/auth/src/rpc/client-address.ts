import type { Call } from '@haat/kit/call'
import { networkOf } from '../domain/network.ts'

/** Where a person calls from: believed from a Haat service only, for anybody else could write what they like. */
export function clientAddress(call: Call, clientIp: string | undefined): { ip: string; network: string | undefined } {
  const network = call.service !== undefined && clientIp ? networkOf(clientIp) : undefined
  return { ip: network && clientIp ? clientIp.trim() : '', network }
}
