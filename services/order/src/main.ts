import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startOrder } from './service.ts'

await run('order', loadConfig, startOrder)
