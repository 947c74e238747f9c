import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { staff } from '../src/actors.ts'
import { ensureCommission } from '../src/market.ts'
import { startTestDevnet } from './devnet.ts'

const devnet = await startTestDevnet()

test('the walk in the documentation goes through as it is written, from the applications to the payout', async () => {
  await ensureCommission(await staff(devnet))
  const { storefront, vendor, admin, mailbox, stripe } = devnet.urls
  const places = { SHOP: storefront, VENDOR: vendor, ADMIN: admin, MAILBOX: mailbox, STRIPE: stripe }
  const walk = fileURLToPath(new URL('../../../docs/walk.sh', import.meta.url))
  const { stdout } = await promisify(execFile)('bash', [walk], { env: { ...process.env, ...places } })
  expect(stdout).toContain('9. The books are zero')
  expect(stdout).toContain('"net":70435')
  const mails = stdout.slice(stdout.indexOf('9. '))
  expect(mails).toMatch(/HAAT-[0-9A-Z]{5}-[0-9A-Z]{5}/)
}, 180_000)
