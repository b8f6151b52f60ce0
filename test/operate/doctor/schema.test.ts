import { expect, test } from 'vitest';
import { doctorJsonSchema } from '../../../src/operate/doctor/schema.ts';

test('the shipped JSON schema is that of the code; `npx vitest run FILE -u` writes it anew', async () => {
  await expect(`${JSON.stringify(doctorJsonSchema(), null, 2)}\n`).toMatchFileSnapshot('../../../schemas/doctor.schema.json');
});
