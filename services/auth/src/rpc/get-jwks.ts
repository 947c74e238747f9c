import type { GetJwksRequest, GetJwksResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'

export async function getJwks(ctx: AuthContext, _request: GetJwksRequest): Promise<GetJwksResponse> {
  const { keys } = await ctx.keys.published()
  return {
    keys: keys.map((key) => ({
      kid: key.kid ?? '',
      kty: key.kty ?? '',
      crv: key.crv ?? '',
      x: key.x ?? '',
      alg: key.alg ?? '',
      use: key.use ?? '',
    })),
  }
}
