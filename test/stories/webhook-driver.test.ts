import { driverPowers } from '#core/deployment/driver-power.ts'
import { deployDriverConformance } from '../conformance/deploy-driver.ts'
import { webhookStage } from '../rig/webhook-stage.ts'

// What a platform behind a webhook cannot promise is skipped by its declared powers, and each title says which one is missing.
deployDriverConformance('a platform behind a webhook', webhookStage, driverPowers.webhook)
