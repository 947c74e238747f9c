import { mkdir, writeFile } from 'node:fs/promises'
import { loadConfig as loadAdmin } from '@haat/admin-bff/config'
import { startAdminBff } from '@haat/admin-bff/start'
import { loadConfig as loadStorefront } from '@haat/storefront/config'
import { startStorefront } from '@haat/storefront/start'
import { loadConfig as loadVendor } from '@haat/vendor-bff/config'
import { startVendorBff } from '@haat/vendor-bff/start'
import openapi, { astToString } from 'openapi-typescript'

// Starts each API without its neighbours (a document needs none), and writes the types of what it describes.
const env = {
  HOST: '127.0.0.1',
  HTTP_PORT: '0',
  ADMIN_PORT: '0',
  LOG_LEVEL: 'silent',
  REDIS_URL: 'redis://127.0.0.1:1',
  SESSION_SECRET: 'only the document is asked for here',
}
const gen = new URL('../gen/', import.meta.url)
await mkdir(gen, { recursive: true })
for (const [name, start] of [
  ['storefront', () => startStorefront(loadStorefront(env))],
  ['vendor', () => startVendorBff(loadVendor(env))],
  ['admin', () => startAdminBff(loadAdmin(env))],
] as const) {
  const bff = await start()
  const document = (await (
    await fetch(`http://127.0.0.1:${bff.port}/openapi.json`, { headers: { connection: 'close' } })
  ).json()) as never
  await bff.close()
  await writeFile(new URL(`${name}.ts`, gen), astToString(await openapi(document, { defaultNonNullable: false })))
}
