using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pelican.Json;

/// <summary>Times as RFC 3339 in UTC with a <c>Z</c>, as the specification shows them; any offset is read.</summary>
internal sealed class UtcTime : JsonConverter<DateTimeOffset>
{
    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture));
}
