// An identity provider on loopback, and somebody who signs in at it: npm's `oidc-provider`, by the authorization code flow
// with PKCE (RFC 6749, RFC 7636, OpenID Connect Core). Prints one line of JSON: issuer, key set, and a token for each case.
// Arguments: the vault's public key as JWK. `oidc-provider` is among the development dependencies of ui/.
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../../ui/package.json", import.meta.url));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

const vaultKey = JSON.parse(process.argv[2]);
const private_ = (type, options, more) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
  use: "sig",
  ...more,
});
const keys = [
  private_("rsa", { modulusLength: 2048 }, { kid: "rsa" }),
  private_("ec", { namedCurve: "P-256" }, { kid: "p256", alg: "ES256" }),
  private_("ed25519", {}, { kid: "ed", alg: "EdDSA" }),
];
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
const REDIRECT = "http://127.0.0.1/back";

const client = (client_id, algorithm, more) => ({
  client_id,
  application_type: "native",
  token_endpoint_auth_method: "none",
  redirect_uris: [REDIRECT],
  grant_types: ["authorization_code"],
  response_types: ["code"],
  id_token_signed_response_alg: algorithm,
  ...more,
});

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [
    ...ALGORITHMS.map((algorithm) => client(`coffer-${algorithm}`, algorithm)),
    client("coffer-encrypted", "ES256", {
      id_token_encrypted_response_alg: "ECDH-ES",
      id_token_encrypted_response_enc: "A256GCM",
      jwks: { keys: [vaultKey] },
    }),
    client("elsewhere", "ES256"),
  ],
  jwks: { keys },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  features: { devInteractions: { enabled: false }, encryption: { enabled: true } },
  enabledJWA: {
    idTokenSigningAlgValues: ALGORITHMS,
    idTokenEncryptionAlgValues: ["ECDH-ES"],
    idTokenEncryptionEncValues: ["A256GCM"],
  },
  interactions: { url: (_context, { uid }) => `/sign-in/${uid}` },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});
const answer = provider.callback();
server.on("request", async (request, response) => {
  if (!request.url.startsWith("/sign-in/")) return answer(request, response);
  // Whoever comes is believed: this is a test.
  const { params, prompt } = await provider.interactionDetails(request, response);
  const accountId = params.login_hint;
  if (prompt.name === "login") return provider.interactionFinished(request, response, { login: { accountId } });
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope("openid");
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
});

/** Signs somebody in at a client, as a browser would, and gives the token. */
async function signIn(clientId, person) {
  const jar = new Map();
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: "code",
    scope: "openid",
    redirect_uri: REDIRECT,
    login_hint: person,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  let at = `${issuer}/auth?${query}`;
  while (!at.startsWith(REDIRECT)) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const step = await fetch(at, { redirect: "manual", headers: { cookie } });
    for (const set of step.headers.getSetCookie()) {
      const [name, value] = set.split(";")[0].split("=");
      jar.set(name, value);
    }
    const next = step.headers.get("location");
    if (!next) throw new Error(`${at}: ${step.status} ${await step.text()}`);
    at = new URL(next, issuer).href;
  }
  const code = new URL(at).searchParams.get("code");
  if (!code) throw new Error(at);
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: clientId,
    code,
    redirect_uri: REDIRECT,
    code_verifier: verifier,
  });
  const answered = await (await fetch(`${issuer}/token`, { method: "POST", body })).json();
  if (!answered.id_token) throw new Error(JSON.stringify(answered));
  return { id: answered.id_token, access: answered.access_token };
}

const configuration = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
const keySet = await (await fetch(configuration.jwks_uri)).text();
const tokens = {};
for (const algorithm of ALGORITHMS) tokens[algorithm] = (await signIn(`coffer-${algorithm}`, "o-17")).id;
tokens.encrypted = (await signIn("coffer-encrypted", "o-17")).id;
tokens.elsewhere = (await signIn("elsewhere", "o-17")).id;
tokens.somebody = (await signIn("coffer-ES256", "m-4")).id;
process.stdout.write(`${JSON.stringify({ issuer: configuration.issuer, key_set: keySet, tokens })}\n`);
server.closeAllConnections();
server.close();
