/** Opens a Redis Cluster, says so, and closes it when it is told to. Then nothing is left to wait for. Usage: cluster-child.ts URL */
import { once } from 'node:events';
import { openRedis } from '../../src/stores/redis/connection/open.ts';

const connection = await openRedis({ url: process.argv[2]!, reconnect: true });
console.log('open');
await once(process.stdin, 'data');
process.stdin.destroy();
connection.close();
