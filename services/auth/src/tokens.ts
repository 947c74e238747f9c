import { TOKEN_AUDIENCE, TOKEN_TYPE, type TokenClaims } from '@haat/kit/auth'
import { SignJWT } from 'jose'
import type { SigningKeys } from './signing-keys.ts'

export const TOKEN_LIFE_MS = 15 * 60_000

/** Signs an access token that lives 15 minutes. */
export type SignToken = (claims: TokenClaims) => Promise<{ token: string; expiresAt: Date }>

export function createSignToken(options: { keys: SigningKeys; issuer: string; now: () => Date }): SignToken {
  return async (claims) => {
    const { kid, key } = await options.keys.current()
    const issuedAt = Math.floor(options.now().getTime() / 1000)
    const expires = issuedAt + TOKEN_LIFE_MS / 1000
    const token = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: TOKEN_TYPE })
      .setIssuer(options.issuer)
      .setAudience(TOKEN_AUDIENCE)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expires)
      .sign(key)
    return { token, expiresAt: new Date(expires * 1000) }
  }
}
