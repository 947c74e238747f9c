import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startShipping } from './service.ts'

await run('shipping', loadConfig, startShipping)
