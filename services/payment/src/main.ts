import { run } from '@haat/kit/run'
import { loadConfig } from './config.ts'
import { startPayment } from './service.ts'

await run('payment', loadConfig, startPayment)
