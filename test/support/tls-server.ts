/**
 * Certificates for test servers on https. The authority is nobody's, and the keys are for tests alone; all are good for a hundred
 * years. `good` names localhost and 127.0.0.1, `other` names shop.example.
 */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { RequestListener } from 'node:http';

export const AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBoDCCAUWgAwIBAgIUUd5YtIkBz2B7Y6tsRDFS+AaKvNEwCgYIKoZIzj0EAwIw
JDEiMCAGA1UEAwwZY291cG9uLWNsaSB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjUw
NTM0MTRaGA8yMTI2MTEwMTA1MzQxNFowJDEiMCAGA1UEAwwZY291cG9uLWNsaSB0
ZXN0IGF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGUo7+4c21LK
fLG5hDPADSQkTS1l7xQ58XMb/7+pCCIfs+atd77+l3fkBsaW70ozyM1w6OHEEVZe
I9SfOT80ohWjUzBRMB0GA1UdDgQWBBSftDWjqTdtEE17FpsLX9inZzmHIzAfBgNV
HSMEGDAWgBSftDWjqTdtEE17FpsLX9inZzmHIzAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0kAMEYCIQCS12qsj95rNxDSrXxTn53VeZLhkJi31oyaEPyYvIX9
TAIhAI+lwQKmW8tEiixUB7rCKfdLGzp2GkMzXpUNS/JKaKb7
-----END CERTIFICATE-----
`;

export const CERTIFICATES = {
  good: {
    cert: `-----BEGIN CERTIFICATE-----
MIIBoDCCAUagAwIBAgIUD+QP6gM+nzE1lL3Fa3ST5L3gszgwCgYIKoZIzj0EAwIw
JDEiMCAGA1UEAwwZY291cG9uLWNsaSB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjUw
NTM0MTRaGA8yMTI2MTEwMTA1MzQxNFowDzENMAsGA1UEAwwEZ29vZDBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABEYhjSDdeCNCQZTrFy9zLcUGhmwJgpRzAt97ThdH
GlKRSa0KClMcVZMglERGnqzDQyhCUJ+J51l+Xz1oDfISP8KjaTBnMBoGA1UdEQQT
MBGCCWxvY2FsaG9zdIcEfwAAATAJBgNVHRMEAjAAMB0GA1UdDgQWBBSq2LHZfABs
A4ZOkd4OTfVdaeN9RjAfBgNVHSMEGDAWgBSftDWjqTdtEE17FpsLX9inZzmHIzAK
BggqhkjOPQQDAgNIADBFAiEA0NfwMjGIv9rfAElhCVLwfU3JRsgZUdbZzjY1bEXy
QHICIHTSNonoYwcqXD+F50Dl+AUJ7PnK7xTrUFecFkuyYqoC
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg02i4UbqYyVvJ+pv6
tCWAMFlFFOk6YIgbqsBx3hbj+XehRANCAARGIY0g3XgjQkGU6xcvcy3FBoZsCYKU
cwLfe04XRxpSkUmtCgpTHFWTIJRERp6sw0MoQlCfiedZfl89aA3yEj/C
-----END PRIVATE KEY-----
`,
  },
  other: {
    cert: `-----BEGIN CERTIFICATE-----
MIIBnjCCAUSgAwIBAgIUD+QP6gM+nzE1lL3Fa3ST5L3gszkwCgYIKoZIzj0EAwIw
JDEiMCAGA1UEAwwZY291cG9uLWNsaSB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjUw
NTM0MTRaGA8yMTI2MTEwMTA1MzQxNFowEDEOMAwGA1UEAwwFb3RoZXIwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAASxvcXbD0WKc1yzcf0+gplW4iu8Dutj7jDUG3q1
dUJVY+VviSaVVJAFwotuuVtXEgWyRqtQeVpcGqOZZvXfVg1go2YwZDAXBgNVHREE
EDAOggxzaG9wLmV4YW1wbGUwCQYDVR0TBAIwADAdBgNVHQ4EFgQUGdPLgc2Xz7Js
JrzuFXeba1Qy6+swHwYDVR0jBBgwFoAUn7Q1o6k3bRBNexabC1/Yp2c5hyMwCgYI
KoZIzj0EAwIDSAAwRQIgBueSCDEKjbOlXm1b0RwJJSku00paImAa5lzemxgpSwEC
IQDCYU0mrMLyRpLae3wLkZkJm/X2tQfM4v3nvmGtNibgQQ==
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeAtFeKOS+afnYzRF
WclUpllMJ8+0B++TxCdS1KGZ9gKhRANCAASxvcXbD0WKc1yzcf0+gplW4iu8Dutj
7jDUG3q1dUJVY+VviSaVVJAFwotuuVtXEgWyRqtQeVpcGqOZZvXfVg1g
-----END PRIVATE KEY-----
`,
  },
};

export interface TlsServer extends AsyncDisposable {
  url: string;
  server: Server;
}

export async function tlsServer(handle: RequestListener, name: keyof typeof CERTIFICATES = 'good'): Promise<TlsServer> {
  const server = createServer(CERTIFICATES[name], handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
