import { expect, it } from 'vitest';
import { isOfCluster } from '../../../../src/stores/redis/connection/server.ts';

it.each([
  ['Redis', 'redis_version:8.0.2\r\nredis_mode:cluster\r\nos:Linux\r\n', true],
  ['Redis', 'redis_version:8.0.2\r\nredis_mode:standalone\r\nos:Linux\r\n', false],
  ['Valkey', 'redis_version:7.2.4\r\nvalkey_version:8.1.1\r\nserver_mode:cluster\r\n', true],
  ['Valkey', 'redis_version:7.2.4\r\nvalkey_version:8.1.1\r\nserver_mode:standalone\r\n', false],
])('a node of a cluster is known by INFO, of %s: %j', (_program, info, expected) => expect(isOfCluster(info)).toBe(expected));
