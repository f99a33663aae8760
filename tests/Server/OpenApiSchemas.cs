using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Tests.Server;

/// <summary>Schemas of the records that travel: what the serializer knows of them, with their comments.</summary>
internal sealed partial class OpenApiSchemas
{
    private static readonly string[] Comments = ["pelican.xml", "Pelican.ClientApi.xml"];

    private static readonly Dictionary<string, XElement> Documented = Comments
        .SelectMany(file => XDocument.Load(Path.Combine(AppContext.BaseDirectory, file)).Descendants("member"))
        .ToDictionary(member => member.Attribute("name")!.Value);

    private readonly Dictionary<string, JsonNode?> _made = [];

    /// <summary>A reference to the schema of a type.</summary>
    /// <param name="type">One that <see cref="PelicanJson"/> knows.</param>
    /// <param name="isAnswer">Whether the server writes it: then what it never leaves out is required.</param>
    public JsonNode Of(Type type, bool isAnswer)
    {
        if (type == typeof(JsonElement))
        {
            return new JsonObject { ["type"] = "object" };
        }

        if (_made.TryAdd(type.Name, null))
        {
            _made[type.Name] = Make(PelicanJson.Output.GetTypeInfo(type)!, isAnswer);
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{type.Name}" };
    }

    /// <summary>All that were asked for, by name.</summary>
    public JsonObject All() => new(_made.OrderBy(made => made.Key, StringComparer.Ordinal));

    private JsonNode Make(JsonTypeInfo type, bool isAnswer) =>
        type.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TransformSchemaNode = (context, node) => Transform(context, node, type, isAnswer) });

    private JsonObject Transform(JsonSchemaExporterContext context, JsonNode node, JsonTypeInfo root, bool isAnswer)
    {
        Type type = context.TypeInfo.Type;
        Type bare = Nullable.GetUnderlyingType(type) ?? type;
        if (context.Path.Length > 0 && bare.Namespace!.StartsWith("Pelican", StringComparison.Ordinal))
        {
            JsonNode reference = Of(bare, isAnswer);
            return Describe(context, isAnswer || context.PropertyInfo?.IsSetNullable != true
                ? (JsonObject)reference
                : new JsonObject { ["anyOf"] = new JsonArray(reference, new JsonObject { ["type"] = "null" }) });
        }

        JsonObject schema = node as JsonObject ?? [];
        if (isAnswer && schema["type"] is JsonArray types && !IsShownWhenNull(context.PropertyInfo))
        {
            schema["type"] = types.First(t => t!.GetValue<string>() != "null")!.DeepClone();
        }

        if (context.TypeInfo.Kind == JsonTypeInfoKind.Object)
        {
            schema["type"] = "object";
            foreach (JsonPropertyInfo time in context.TypeInfo.Properties.Where(p => p.PropertyType == typeof(DateTimeOffset) || p.PropertyType == typeof(DateTimeOffset?)))
            {
                schema["properties"]![time.Name] = Time(time);
            }

            if (isAnswer)
            {
                schema["required"] = new JsonArray([.. context.TypeInfo.Properties.Where(p => !p.IsGetNullable || IsShownWhenNull(p)).Select(p => (JsonNode)p.Name)]);
            }
        }

        schema.Remove("default");
        Enumerate(context, schema);
        return Describe(context, schema, root);
    }

    // Its converter is ours, and the serializer knows nothing of what that writes.
    private static JsonObject Time(JsonPropertyInfo property)
    {
        JsonObject schema = new() { ["type"] = IsShownWhenNull(property) ? new JsonArray("string", "null") : "string", ["format"] = "date-time" };
        if (CommentOn(property.DeclaringType, property.Name) is { } text)
        {
            schema["description"] = text;
        }

        return schema;
    }

    private static void Enumerate(JsonSchemaExporterContext context, JsonObject schema)
    {
        string[]? values = (context.PropertyInfo?.DeclaringType.Name, context.PropertyInfo?.Name) switch
        {
            (nameof(Health), "status") => ["ok"],
            (_, "status" or "Status") => [.. JobStates.All],
            (nameof(TransferRequest), "operation") => ["get", "put", "copy", "prestage"],
            (nameof(ApiError), "code") => [.. Errors.All.Select(row => row.ApiCode).Append("CANCELLED").Distinct().Order()],
            _ => null,
        };
        if (values is not null)
        {
            schema["enum"] = new JsonArray([.. values.Select(value => (JsonNode)value)]);
        }
    }

    // Shown as null; other members that are null are left out.
    private static bool IsShownWhenNull(JsonPropertyInfo? property) =>
        property?.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), true) is [JsonIgnoreAttribute { Condition: JsonIgnoreCondition.Never }];

    private static JsonObject Describe(JsonSchemaExporterContext context, JsonObject schema, JsonTypeInfo? root = null)
    {
        string? text = context.PropertyInfo is { } property ? CommentOn(property.DeclaringType, property.Name)
            : context.Path.Length == 0 && root is not null ? Text(Documented.GetValueOrDefault($"T:{root.Type.FullName}")?.Element("summary"))
            : null;
        if (text is not null)
        {
            schema["description"] = text;
        }

        return schema;
    }

    // That of the property, or of the parameter of the record.
    private static string? CommentOn(Type type, string member)
    {
        XElement? property = Documented.FirstOrDefault(d => d.Key.StartsWith($"P:{type.FullName}.", StringComparison.Ordinal)
            && Wire(d.Key[(d.Key.LastIndexOf('.') + 1)..]) == Wire(member)).Value;
        return Text(property?.Element("summary") ?? Documented.GetValueOrDefault($"T:{type.FullName}")?.Elements("param")
            .FirstOrDefault(parameter => Wire(parameter.Attribute("name")!.Value) == Wire(member)));
    }

    private static string Wire(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    private static string? Text(XElement? comment)
    {
        if (comment is null)
        {
            return null;
        }

        XElement copy = new(comment);
        foreach (XElement reference in copy.Descendants().Where(e => e.Attribute("cref") is not null).ToList())
        {
            reference.Value = reference.Attribute("cref")!.Value.Split('.', ':')[^1];
        }

        return Spaces().Replace(copy.Value, " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
