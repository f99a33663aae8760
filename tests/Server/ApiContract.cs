using System.Globalization;
using System.Text.Json;
using Pelican.Server;

namespace Pelican.Tests.Server;

/// <summary>Holds answers against the description of the API: every one must be described, with every member.</summary>
internal sealed class ApiContract
{
    private static readonly Lazy<ApiContract> One = new(() => new ApiContract());

    private readonly JsonElement _document = JsonElement.Parse(OpenApi.Document());

    private ApiContract()
    {
    }

    /// <summary>Checks an answer in JSON.</summary>
    /// <exception cref="InvalidOperationException">It is not what the document promises.</exception>
    public static void Check(string method, string path, int status, JsonElement body)
    {
        if (One.Value.Fault(method, path.Split('?')[0], status, body) is { } fault)
        {
            throw new InvalidOperationException($"{method} {path}: {status} {body}: {fault}");
        }
    }

    private string? Fault(string method, string path, int status, JsonElement body)
    {
        string canonical = path.StartsWith(Pelican.Server.ClientApi.Bases[1], StringComparison.Ordinal) ? OpenApiDocument.Base + path[Pelican.Server.ClientApi.Bases[1].Length..] : path;
        string? described = _document.GetProperty("paths").EnumerateObject().Select(p => p.Name).FirstOrDefault(template => Matches(template, canonical));
        JsonElement schema = described is null
                || !_document.GetProperty("paths").GetProperty(described).TryGetProperty(method.ToLower(CultureInfo.InvariantCulture), out JsonElement operation)
            ? Referenced("#/components/schemas/ApiError")
            : Promised(operation.GetProperty("responses"), status);
        return Differs(schema, body, "$");
    }

    private static JsonElement Promised(JsonElement answers, int status)
    {
        JsonElement answer = answers.TryGetProperty(status.ToString(CultureInfo.InvariantCulture), out JsonElement named) ? named : answers.GetProperty("default");
        return answer.GetProperty("content").GetProperty("application/json").GetProperty("schema");
    }

    private static bool Matches(string template, string path)
    {
        string[] wanted = template.Split('/');
        string[] given = path.TrimEnd('/').Split('/');
        return wanted.Length == given.Length && wanted.Zip(given).All(pair => pair.First.StartsWith('{') || pair.First == pair.Second);
    }

    private JsonElement Referenced(string reference) =>
        reference.Split('/').Skip(1).Aggregate(_document, (at, step) => at.GetProperty(step));

    private string? Differs(JsonElement schema, JsonElement value, string at)
    {
        if (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            return Differs(Referenced(reference.GetString()!), value, at);
        }

        if (!Types(schema).Contains(TypeOf(value)) && !(TypeOf(value) == "integer" && Types(schema).Contains("number")))
        {
            return $"{at} is {TypeOf(value)}, not {string.Join(" or ", Types(schema))}";
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            return schema.TryGetProperty("enum", out JsonElement values) && !values.EnumerateArray().Any(v => v.GetString() == value.GetString())
                ? $"{at} is {value}, which is not in the list"
                : schema.TryGetProperty("format", out JsonElement format) && format.GetString() == "date-time" && !value.TryGetDateTimeOffset(out _)
                ? $"{at} is no time"
                : null;
        }

        return value.ValueKind == JsonValueKind.Array ? Items(schema, value, at) : value.ValueKind == JsonValueKind.Object ? Members(schema, value, at) : null;
    }

    private string? Items(JsonElement schema, JsonElement value, string at) =>
        value.EnumerateArray().Select((item, i) => Differs(schema.GetProperty("items"), item, $"{at}[{i}]")).FirstOrDefault(fault => fault is not null);

    private string? Members(JsonElement schema, JsonElement value, string at)
    {
        if (schema.TryGetProperty("required", out JsonElement required)
            && required.EnumerateArray().FirstOrDefault(name => !value.TryGetProperty(name.GetString()!, out _)) is { ValueKind: JsonValueKind.String } missing)
        {
            return $"{at} has no {missing}";
        }

        bool any = schema.TryGetProperty("additionalProperties", out JsonElement others);
        if (!any && !schema.TryGetProperty("properties", out _))
        {
            return null;
        }

        foreach (JsonProperty member in value.EnumerateObject())
        {
            string? fault = any ? Differs(others, member.Value, $"{at}.{member.Name}")
                : schema.GetProperty("properties").TryGetProperty(member.Name, out JsonElement known) ? Differs(known, member.Value, $"{at}.{member.Name}")
                : $"{at} has {member.Name}, which is not described";
            if (fault is not null)
            {
                return fault;
            }
        }

        return null;
    }

    private static string[] Types(JsonElement schema) => schema.GetProperty("type") is { ValueKind: JsonValueKind.Array } several
        ? [.. several.EnumerateArray().Select(type => type.GetString()!)]
        : [schema.GetProperty("type").GetString()!];

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Number => value.TryGetInt64(out _) ? "integer" : "number",
        _ => "null",
    };
}
