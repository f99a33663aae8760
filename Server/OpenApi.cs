namespace Pelican.Server;

/// <summary>The description of the API in OpenAPI 3.1. Made from routes, records and their comments by the tests, which also compare it with what they see.</summary>
internal static class OpenApi
{
    /// <summary>Where it is served.</summary>
    public const string Path = "/api/v1/openapi.json";

    /// <summary>The document, JSON.</summary>
    public static byte[] Document()
    {
        using Stream stream = typeof(OpenApi).Assembly.GetManifestResourceStream("openapi.json")!;
        byte[] document = new byte[stream.Length];
        stream.ReadExactly(document);
        return document;
    }
}
