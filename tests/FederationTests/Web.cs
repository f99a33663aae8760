using Pelican.Federation;

namespace Pelican.Tests.FederationTests;

/// <summary>What an answer was, read to its end; the headers are those of the body too, one line each.</summary>
internal sealed record Answer(int Status, string? Reason, string Headers, string Body, string Trailers);

/// <summary>One question to a server, with headers as given.</summary>
internal static class Web
{
    public static async Task<Answer> AskAsync(
        this TestFederation federation, string method, string url, CancellationToken cancellationToken,
        string? body = null, params (string Name, string Value)[] headers)
    {
        using HttpClient client = federation.Certificates.CreateHttpClient();
        return await client.AskAsync(method, url, cancellationToken, body, headers);
    }

    public static async Task<Answer> AskAsync(
        this HttpClient client, string method, string url, CancellationToken cancellationToken,
        string? body = null, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), url);
        request.Content = body is null ? null : new StringContent(body);
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage answer = await client.SendAsync(request, cancellationToken);
        string text = await answer.Content.ReadAsStringAsync(cancellationToken);
        return new Answer(
            (int)answer.StatusCode, answer.ReasonPhrase, answer.Headers.ToString() + answer.Content.Headers, text, answer.TrailingHeaders.ToString());
    }
}
