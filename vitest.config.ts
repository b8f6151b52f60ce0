import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Real stores and real processes on few cores: patience instead of flakiness. No test asserts on time.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', ['json', { outputFile: process.env['COUPON_TEST_REPORT'] ?? '.ci/result.json' }]],
  },
});
