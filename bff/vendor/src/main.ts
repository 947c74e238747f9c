import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startVendorBff } from './start.ts'

await run('bff-vendor', loadConfig, startVendorBff)
