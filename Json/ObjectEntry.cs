using System.Text.Json.Serialization;

namespace Pelican.Json;

/// <summary>An object or collection as <c>object stat --json</c> and <c>object ls -l --json</c> print it: the Go client's members.</summary>
/// <param name="Name">Path in the federation.</param>
/// <param name="Size">Bytes; 0 for a collection; null when the server does not say.</param>
/// <param name="ModTime">Last modification, UTC; absent when the server does not say.</param>
/// <param name="IsCollection">Whether it holds other objects.</param>
/// <param name="ETag">The server's entity tag; absent when it has none.</param>
/// <param name="Checksums">Digests in hexadecimal by algorithm; absent unless asked for.</param>
internal sealed record ObjectEntry(
    [property: JsonPropertyName("Name")] string Name,
    [property: JsonPropertyName("Size"), JsonIgnore(Condition = JsonIgnoreCondition.Never)] long? Size,
    [property: JsonPropertyName("ModTime")] DateTime? ModTime,
    [property: JsonPropertyName("IsCollection")] bool IsCollection,
    [property: JsonPropertyName("etag")] string? ETag,
    [property: JsonPropertyName("checksums")] IReadOnlyDictionary<string, string>? Checksums);
