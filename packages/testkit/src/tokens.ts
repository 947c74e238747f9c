import { TOKEN_AUDIENCE, TOKEN_TYPE, type TokenClaims } from '@haat/kit/auth'
import { newId } from '@haat/kit/id'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true })

export const ISSUER = 'haat'

/** The key set that verifies what `tokenFor` signs; goes into a service's JWKS_JSON. */
export const jwksJson = JSON.stringify({
  keys: [{ ...(await exportJWK(publicKey)), kid: 'test', alg: 'EdDSA', use: 'sig' }],
})

/** Who a test speaks as. */
export type Identity = { token: string; userId: string; vendorId?: string }

/** Signs an access token with these claims, valid for an hour. */
export const tokenFor = (claims: TokenClaims, options: { expiresIn?: string } = {}): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test', typ: TOKEN_TYPE })
    .setIssuer(ISSUER)
    .setAudience(TOKEN_AUDIENCE)
    .setSubject(claims.sub)
    .setIssuedAt()
    .setExpirationTime(options.expiresIn ?? '1h')
    .sign(privateKey)

/** A signed-in customer. */
export async function customer(userId = newId()): Promise<Identity> {
  return { userId, token: await tokenFor({ sub: userId, kind: 'user', sid: newId(), roles: ['customer'] }) }
}

/** A member of a vendor; the owner unless permissions are named. */
export async function vendorMember(
  vendorId = newId(),
  vendorPermissions = ['*'],
  userId = newId(),
): Promise<Identity & { vendorId: string }> {
  const token = await tokenFor({
    sub: userId,
    kind: 'user',
    sid: newId(),
    roles: ['customer', 'vendor_admin'],
    vendorId,
    vendorPermissions,
  })
  return { userId, vendorId, token }
}

/** A member of the platform's staff with these permissions. */
export async function staff(...permissions: string[]): Promise<Identity> {
  const userId = newId()
  return { userId, token: await tokenFor({ sub: userId, kind: 'user', sid: newId(), roles: ['staff'], permissions }) }
}

/** Another Haat service, on nobody's behalf. */
export async function neighbour(name = 'order'): Promise<{ serviceToken: string }> {
  return { serviceToken: await tokenFor({ sub: name, kind: 'service' }) }
}
