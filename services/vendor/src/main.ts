import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startVendor } from './service.ts'

await run('vendor', loadConfig, startVendor)
