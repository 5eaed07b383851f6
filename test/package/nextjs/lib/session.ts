// Takes the place of the examples' sessions. Next.js's own request, with its cookies, is what the App Router passes.
export function sessionOf(request: Request): { clientId: string } | undefined {
  const { cookies } = request as { cookies?: { get(name: string): { value: string } | undefined } };
  const session = cookies ? `session=${cookies.get("session")?.value}` : request.headers.get("cookie");
  return session === "session=ada" ? { clientId: "CLIENT_OF_ADA" } : undefined;
}
